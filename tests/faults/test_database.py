"""The controllers' parts with their database, and every fault that befalls the two in one go.

MCPServer and CCP each insert the rows of their tasks, submit all batches at once and read what comes. Meanwhile the
worker is told to read its settings anew, killed and started again; the database is killed in the middle of batches,
and is away while the worker is stopped and started; a second writer has rows locked and provokes deadlocks.
"""

import os
import signal
import time

import MySQLdb

from ledger import LONG
from support.database_scenario import DatabaseScenario
from support.mcp_server import Ccp, McpServer
from support.record import Record
from support.waiting import wait_until

TASKS = 10_000 if LONG else 1_500

# Who waits for a lock that this connection holds.
WAITING = """SELECT COUNT(*) FROM information_schema.INNODB_LOCK_WAITS AS w
  JOIN information_schema.INNODB_TRX AS t ON t.trx_id = w.blocking_trx_id WHERE t.trx_mysql_thread_id = %s"""


class SecondWriter:
    """Another program that changes the same rows: it holds the last one of a batch from the start."""

    def __init__(self, database, task_ids):
        self._task_ids = task_ids
        self._connection, self._monitor = (MySQLdb.connect(unix_socket=database.socket, user="root", db="MCP",
                                                           autocommit=automatic) for automatic in (False, True))
        self._lock(max(task_ids))

    def _lock(self, task_id):
        self._connection.cursor().execute("UPDATE Tasks SET fileName = CONCAT(fileName, '.') WHERE taskUUID = %s",
                                          [task_id])

    def _number(self, question, value):
        with self._monitor.cursor() as cursor:
            cursor.execute(question, [value])
            return cursor.fetchone()[0]

    def count(self, metric):
        return self._number("SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = %s", metric)

    def is_waited_for(self):
        return self._number(WAITING, self._connection.thread_id()) > 0

    def deadlock(self):
        """Takes the first row, too, as the worker takes them in the other order. Who has changed less is undone: the
        worker."""
        self._connection.cursor().execute("INSERT INTO Ballast SELECT seq FROM seq_1_to_1000")
        self._lock(min(self._task_ids))

    def hold(self):
        """Until the worker has been told that it waited in vain."""
        before = self.count("lock_timeouts")
        wait_until(lambda: self.count("lock_timeouts") > before, "the server to give up waiting")

    def end(self):
        self._connection.commit()
        self._connection.close()
        self._monitor.close()


class TestDatabase(DatabaseScenario):
    def kill_and_start(self, worker):
        """Gives the ids of the tasks that had ended by then."""
        worker.signal(signal.SIGKILL)
        worker.wait()
        worker.assert_nothing_left()
        ended = {row["taskUUID"] for row in Record(worker.settings["record"]).query("SELECT taskUUID FROM EndedTasks")}
        worker.start()
        return ended

    def befall(self, server):
        worker = self.start_worker({"noted": "noted"}, {**self.database.settings(self.folder), "workers": "4"})
        server.prepare(TASKS)
        self.database.run("CREATE TABLE MCP.Ballast (number int) ENGINE=InnoDB")
        # A worker that is slow to be scheduled gives up waiting before it comes to a deadlock, so there are some.
        *others, last = [SecondWriter(self.database, tasks) for tasks in server.prepared[1:5]]
        begin = time.monotonic()
        server.submit()
        deadlocks = last.count("lock_deadlocks")
        held = [last, *others]
        while held:  # in the order in which the worker comes to them
            time.sleep(0.12)  # what the server tells is of the last question when that was less than 0.1 s ago
            for writer in [writer for writer in held if writer.is_waited_for()]:
                if len(held) == 1:
                    self.assertGreater(writer.count("lock_deadlocks"), deadlocks)
                    writer.hold()
                else:
                    writer.deadlock()
                writer.end()
                held.remove(writer)
        worker.signal(signal.SIGHUP)

        server.wait_for(0.35)
        ended = self.kill_and_start(worker)

        server.wait_for(0.45)
        told = worker.log_text().count("cannot be written")
        self.database.kill()
        wait_until(lambda: worker.log_text().count("cannot be written") > told, "the worker to notice")
        server.wait_for(0.55)  # batches go on
        self.database.start()

        server.wait_for(0.65)
        self.database.kill()
        server.wait_for(0.75)
        worker.stop()
        worker.start()
        server.wait_for(0.85)
        self.database.start()

        self.assertEqual(server.read(), server.codes)
        took = time.monotonic() - begin
        wait_until(lambda: self.database.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode IS NULL") == "0",
                   "what is owed to be written")
        self.check_rows(server.codes)
        runs = server.runs()
        self.assertEqual(set(runs), set(server.codes))
        again = {task_id for task_id, times in runs.items() if times > 1}
        self.assertEqual(again & ended, set(), "what had ended was run again")
        # Two processes of the killed worker had a part of a batch each.
        self.assertLessEqual(len(again), 2 * 128)
        self.assertLessEqual(max(runs.values()), 2)
        self.assertEqual(Record(worker.settings["record"]).query("SELECT count(*) FROM Owed")[0][0], 0)
        self.figure(f"{TASKS} tasks, {TASKS / took:.0f} a second; {len(again)} begun by the worker that was killed, and "
                    "again")

    def check_rows(self, codes):
        rows = self.database.rows()
        self.assertEqual({task_id: int(rows[task_id]["exitCode"]) for task_id in codes}, codes)
        for task_id in codes:
            row = rows[task_id]
            self.assertLessEqual(row["startTime"] or "none", row["endTime"], row)
            self.assertIn(os.uname().nodename[:20], row["client"])
            self.assertEqual((row["stdOut"], row["stdError"]), (f"output of {task_id}", f"error of {task_id}"))

    def test_all_that_may_befall_mcpserver(self):
        server = McpServer(self)
        self.befall(server)
        self.assertEqual(max(server.codes.values()), 3)

    def test_all_that_may_befall_ccp(self):
        self.befall(Ccp(self))
