"""The parts of the controllers, MCPServer's and CCP's, with their database and with faults.

SCENARIO_TASKS: how many tasks each of them sends; 10000 in the long form.
"""

import itertools
import os
import signal
import urllib.request

from support import processes
from support.controller import quote, task, tasks_of
from support.database import PASSWORD
from support.database_scenario import DatabaseScenario
from support.mcp_server import Ccp, McpServer
from support.record import Record
from support.waiting import wait_until
from test_metrics import free_port, parse

TASKS = int(os.environ.get("SCENARIO_TASKS", 2000))


class TestControllers(DatabaseScenario):
    def start_host(self, modules=("noted",), **settings):
        """A worker as another host would have it: nothing is shared but job server and database."""
        return self.start_worker({name: name for name in modules},
                                 {**self.database.settings(self.folder), **settings})

    def check_rows(self, codes):
        """The table tells of every task what the controller was answered."""
        rows = self.database.rows()
        self.assertEqual({task_id: int(rows[task_id]["exitCode"]) for task_id in codes}, codes)
        for task_id in codes:
            row = rows[task_id]
            self.assertLessEqual(row["startTime"], row["endTime"])
            self.assertIn(os.uname().nodename[:20], row["client"])
            self.assertEqual((row["stdOut"], row["stdError"]), (f"output of {task_id}", f"error of {task_id}"))

    def test_mcpserver(self):
        self.start_host()
        server = McpServer(self)
        server.prepare(TASKS)
        server.submit()
        self.assertEqual(server.read(), server.codes)
        self.assertEqual(max(server.codes.values()), 3)
        self.check_rows(server.codes)
        self.assertEqual(set(server.runs().values()), {1})

    def test_mcpserver_with_a_killed_worker_and_a_database_that_is_started_anew(self):
        victim, other = self.start_host(), self.start_host()
        server = McpServer(self)
        server.prepare(TASKS)
        server.submit(0.6)
        server.wait_for(0.2)
        # Beforehand: what the victim sends in its last moment the server may write after the other one has begun it.
        ended = {row[0] for row in self.database.run("SELECT taskUUID FROM MCP.Tasks WHERE exitCode IS NOT NULL")}
        victim.signal(signal.SIGKILL)
        victim.wait()
        victim.assert_nothing_left()
        # Batches that the killed worker had brought to their end, and not answered, come to the other one.
        server.controller.wait([batch for batch in server.batches if ended.issuperset(batch.tasks)])
        self.database.kill()
        server.submit()
        while "cannot be written" not in other.log_text():
            server.controller.pump(0.02)
        server.wait_for(0.9)  # batches go on
        self.database.start()
        self.start_host()
        self.assertEqual(server.read(), server.codes)
        wait_until(lambda: self.database.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode IS NULL") == "0",
                   "what was kept in memory to be written")
        self.check_rows(server.codes)
        runs = server.runs()
        self.assertEqual(set(runs), set(server.codes))
        self.assertEqual({runs[task_id] for task_id in ended}, {1}, "what had ended was run again")
        self.assertLessEqual(max(runs.values()), 2)
        self.assertIn("is written again", other.log_text())

    def test_ccp(self):
        """CCP takes the first packet of any kind for the end of a batch, and looks results up by their ids."""
        self.start_host()
        ccp = Ccp(self)
        ccp.prepare(TASKS)
        ccp.submit()
        ccp.wait_for(0.5)
        self.worker.signal(signal.SIGHUP)
        self.assertEqual(ccp.read(), ccp.codes)
        self.check_rows(ccp.codes)

    def test_what_has_ended_on_one_host_is_answered_on_another(self):
        first = self.start_host()
        server = McpServer(self)
        server.prepare(300)
        server.submit()
        server.read()
        first.stop()
        self.start_host()
        again = [self.controller.submit("noted", batch.tasks) for batch in server.batches]
        self.controller.wait(again)
        for batch, before in zip(again, server.batches):
            self.assertEqual(batch.results(), before.results())
        self.assertEqual(set(server.runs().values()), {1})

    def test_what_mcpserver_closed_when_it_started_is_no_answer(self):
        self.start_host()
        tasks = tasks_of(*(task(f"{quote(self.folder + '/notes')} 0") for _ in range(3)))
        self.database.insert(tasks)
        self.database.run("UPDATE MCP.Tasks SET exitCode = -1, stdError = 'MCP shut down while processing.'")
        batch = self.controller.submit("noted", tasks)
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        self.check_rows(dict.fromkeys(tasks, 0))

    def test_a_database_that_is_away_at_the_start_costs_nothing_but_its_rows_until_it_is_back(self):
        tasks = tasks_of(*(task(f"{quote(self.folder + '/notes')} 0") for _ in range(300)))
        self.database.insert(tasks)
        self.database.kill()
        worker = self.start_host()
        self.assertIn("cannot be written", worker.log_text())
        items = iter(tasks.items())
        batches = [self.controller.submit("noted", dict(itertools.islice(items, 100))) for _ in range(3)]
        self.controller.wait(batches)
        self.database.start()
        wait_until(lambda: "is written again" in worker.log_text(), "the database to be written again")
        wait_until(lambda: self.database.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode = 0") == "300",
                   "what was kept in memory to be written")
        self.check_rows(dict.fromkeys(tasks, 0))

    def owed(self, worker):
        return Record(worker.settings["record"]).query("SELECT count(*) FROM Owed")[0][0]

    def run_without_the_database(self, **settings):
        """A host that has answered 300 tasks, of which the rows of the last 172 tell nothing: (worker, server)."""
        worker = self.start_host(**settings)
        server = McpServer(self)
        server.prepare(300)
        server.submit(0.3)
        server.read()
        self.database.kill()
        server.submit()
        self.assertEqual(server.read(), server.codes)
        return worker, server

    def check_after_the_next_start(self, worker, server):
        """The next worker with the record writes what the last one was owing, and runs nothing again."""
        self.database.start()
        worker.start()
        wait_until(lambda: self.database.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode IS NULL") == "0",
                   "the next worker to write what is owed")
        self.check_rows(server.codes)
        wait_until(lambda: self.owed(worker) == 0, "the record to know that nothing is owed")
        self.assertEqual(set(server.runs().values()), {1})

    def test_what_is_owed_to_the_database_survives_a_stop_of_the_worker(self):
        worker, server = self.run_without_the_database()
        self.assertEqual(self.owed(worker), 172)
        worker.stop()
        self.assertIn("results are owed to the controller's database since", worker.log_text())
        doctor = worker.quire("doctor").stdout
        self.assertRegex(doctor, r"\d+ results are owed to the controller's database since 20")
        self.check_after_the_next_start(worker, server)

    def test_what_is_owed_to_the_database_survives_a_kill_of_the_worker(self):
        port = free_port()
        worker, server = self.run_without_the_database(metrics_address=f"127.0.0.1:{port}")

        def gauge():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                return parse(answer.read().decode())["quire_results_owed"]

        owed = self.owed(worker)
        wait_until(lambda: gauge() == owed, "the metrics to tell how much is owed")
        self.assertIn(f"database    {owed} results are owed", worker.quire("status").stdout)
        worker.signal(signal.SIGKILL)
        worker.wait()
        worker.assert_nothing_left()
        self.check_after_the_next_start(worker, server)
        wait_until(lambda: gauge() == 0, "the metrics to tell that nothing is owed")

    def test_without_a_record_what_is_lost_with_the_worker_is_told(self):
        worker, server = self.run_without_the_database(record="none")
        worker.stop()
        self.assertRegex(worker.log_text(), r"\d+ results are never written to the database MCP at .*record = none")

    def test_the_password_is_nowhere_to_be_seen(self):
        worker = self.start_host(("noted", "gated"), log_level="trace")
        gate = self.gate()
        tasks = tasks_of(*(task(f"'{gate.path}'") for _ in range(2)))
        self.database.insert(tasks)
        batch = self.controller.submit("gated", tasks)
        gate.wait_for(1)
        self.database.kill()  # errors are told, too
        for pid in [worker.pid, *worker.descendants()]:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                self.assertNotIn(PASSWORD.encode(), environ.read())
            self.assertNotIn(PASSWORD, processes.command_line(pid))
        gate.open()
        self.controller.wait([batch])
        worker.signal(signal.SIGQUIT)
        wait_until(lambda: "database MCP at " in worker.log_text(), "the worker to tell what it is doing")
        self.assertNotIn(PASSWORD, worker.log_text())

    def test_a_database_that_refuses_the_worker_is_an_error_at_the_start(self):
        settings = self.database.settings(self.folder)
        worker = self.make_worker({"noted": "noted"}, {**settings, "mariadb_user": "nobody"}).start()
        self.assertEqual(worker.wait(), 78, worker.log_text())
        self.assertIn("Access denied for user 'nobody'", worker.log_text())
        self.assertNotIn(PASSWORD, worker.log_text())
