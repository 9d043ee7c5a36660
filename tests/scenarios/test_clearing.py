"""Deleting very many tasks by the page, while the worker works and when it is stopped in the midst."""

import contextlib
import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import urllib.parse

from support.controller import task
from support.scenario import Scenario
from support.waiting import wait_until

ROWS = 100_000
BATCH = 100
LONG_AGO = 1_600_000_000_000_000  # microseconds since 1970: 2020


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def handles_interrupts(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        (caught,) = re.findall(r"^SigCgt:\s*(\w+)", status.read(), re.MULTILINE)
    return int(caught, 16) & 1 << signal.SIGINT - 1


class TestClearing(Scenario):
    def start(self):
        self.port = free_port()
        self.start_worker({"mix_native": "mix_native"}, {"page_address": f"127.0.0.1:{self.port}"})
        wait_until(lambda: self.worker.log_text().count("page: on http://"), "the page")
        # A first batch, so that the record is there.
        self.run_one()
        with open(os.path.join(self.worker.settings["state_directory"], "page-token"), encoding="utf-8") as file:
            self.token = file.read().strip()

    def run_one(self):
        (result,) = self.controller.run("mix_native", task("one x 0"))
        self.assertEqual(result["exitCode"], 0)

    def fill(self):
        """Tasks of long ago, as a worker has left them."""
        with contextlib.closing(sqlite3.connect(self.worker.settings["record"], timeout=60)) as record, record:
            first_batch, first = record.execute(
                "SELECT (SELECT max(batch) FROM Batches) + 1, (SELECT max(sequence) FROM EndedTasks) + 1").fetchone()
            record.execute(
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) "
                "INSERT INTO Batches (batch, uniqueId, handle, exec, client, startTime, endTime, tasks, failed, delivery, "
                "firstTask, lastTask) SELECT ?2 + i, 'old-' || i, 'H:old:' || i, 'old', 'old:1', "
                "'2020-09-13 12:26:40.000000', '2020-09-13 12:26:41.000000', ?3, 0, 'delivered', ?4 + i * ?3, "
                "?4 + i * ?3 + ?3 - 1 FROM n", (ROWS // BATCH, first_batch, BATCH, first))
            record.execute(
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) "
                "INSERT INTO EndedTasks (sequence, batch, taskUUID, created, ended, exitCode, attempts, wantsOutput, "
                "arguments, stdOut, stdError) SELECT ?4 + i, ?2 + i / ?3, 'old-' || i, ?5, ?5, 0, 1, 1, 'some words', "
                "'what it wrote', '' FROM n", (ROWS, first_batch, BATCH, first, LONG_AGO))

    def ask(self, method, path, form=None):
        """(status, headers, text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = urllib.parse.urlencode(form) if form is not None else None
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def read(self, path):
        status, _, text = self.ask("GET", path)
        self.assertEqual(status, 200, text)
        return text

    def delete(self):
        status, headers, text = self.ask("POST", "/clear", {"before": "2021-01-01T00:00:00Z"})
        self.assertEqual((status, headers["Location"]), (303, "/clear"), text)

    def deleted(self):
        """How many are deleted, while some are not."""
        found = re.search(rf"([\d,]+) of {ROWS:,} tasks deleted", self.read("/clear"))
        return int(found[1].replace(",", "")) if found else None

    def old_tasks(self):
        return self.record.query("SELECT count(*) FROM EndedTasks WHERE taskUUID LIKE 'old-%'")[0][0]

    def logged(self):
        found = re.search(r"page: tasks that ended before [^:]*:00:00.*?: (\d[\d,]*) tasks deleted(.*)", self.worker.log_text())
        return (int(found[1].replace(",", "")), found[2]) if found else None

    def test_a_deletion_by_the_page_keeps_nothing_waiting(self):
        self.start()
        self.fill()
        with self.record.locked():
            # It has begun and cannot get on: what is asked of the page meanwhile is answered all the same.
            self.delete()
            wait_until(lambda: self.deleted() == 0, "the tasks to be counted")
            self.assertIn('http-equiv="refresh"', self.read("/clear"))
            status, _, text = self.ask("POST", "/clear", {"before": "2021-01-01T00:00:00Z"})
            self.assertEqual(status, 409)
            self.assertIn(f"with 0 of {ROWS:,} tasks deleted", text)
            for path in ("/", "/?tab=finished", "/batches", "/tasks.csv?q=old-77"):
                self.assertIn("old", self.read(path))
            self.assertIn(f":{self.worker.pid}", self.read("/workers"))
        batches = 0
        while self.logged() is None:
            self.run_one()
            self.read("/")
            batches += 1
        self.assertEqual(self.logged(), (ROWS, ""))
        self.assertGreater(batches, 1)
        self.assertIn(f"{ROWS:,} tasks deleted (", self.read("/clear"))
        self.assertNotIn("refresh", self.read("/clear"))
        self.assertEqual(self.record.query("SELECT count(*) FROM EndedTasks")[0][0], batches + 1)
        self.assertEqual(self.record.query("SELECT count(*) FROM Batches")[0][0], batches + 1)
        self.assertRegex(self.read("/"), rf'Finished <span class="count">{batches + 1}</span>')
        self.assertEqual(self.record.query("PRAGMA integrity_check")[0][0], "ok")

    def test_a_deletion_is_left_by_who_has_begun_it(self):
        self.start()
        self.fill()
        self.assertEqual(self.ask("POST", "/clear/stop", {})[0], 409)
        with self.record.locked():
            self.delete()
            wait_until(lambda: self.deleted() == 0, "the tasks to be counted")
            self.assertEqual(self.ask("POST", "/clear/stop", {})[0], 303)
            wait_until(lambda: "then somebody stopped it" in self.read("/clear"), "the deletion to end")
        self.assertEqual(self.old_tasks(), ROWS)
        self.assertEqual(self.logged(), (0, ", then stopped"))

    def test_a_worker_that_is_stopped_in_the_midst_leaves_the_rest(self):
        self.start()
        self.fill()
        self.delete()
        wait_until(self.deleted, "some to be deleted")
        with self.record.locked():
            # Somebody else has the file, and keeps it for longer than anybody waits.
            before = self.old_tasks()
            self.assertTrue(0 < before < ROWS, before)
            self.worker.stop()
        self.assertEqual(self.old_tasks(), before)
        self.assertEqual(self.logged(), (ROWS - before, ", then stopped"))

    def test_the_command_is_interrupted_while_it_waits_for_the_file(self):
        self.start()
        self.fill()
        told = os.path.join(self.folder, "told.txt")

        def text():
            with open(told, encoding="utf-8") as file:
                return file.read()

        with self.record.locked():
            with open(told, "w", encoding="utf-8") as output:
                command = subprocess.Popen(self.worker.quire_command("tasks", "clear", "--function", "old"), stdout=output,
                                           stderr=output, cwd=self.folder, env=self.worker.environment)
            self.addCleanup(command.kill)
            wait_until(lambda: handles_interrupts(command.pid), "it to begin")
            command.send_signal(signal.SIGINT)
            self.assertEqual(command.wait(60), 1)
        self.assertIn("0 tasks deleted from", text())
        self.assertIn("interrupted; what was not deleted is still there", text())
        self.assertEqual(self.old_tasks(), ROWS)

    def test_what_goes_wrong_is_told(self):
        self.start()
        self.fill()
        path = self.worker.settings["record"]
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as record, record:
            record.execute("CREATE TRIGGER no BEFORE DELETE ON EndedTasks WHEN old.taskUUID = 'old-5' "
                           "BEGIN SELECT raise(ABORT, 'not this one'); END")
        self.delete()
        wait_until(lambda: "cannot be cleared: not this one." in self.read("/clear"), "the page to tell")
        self.assertIn("then: The record " + path, self.worker.log_text())
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as record, record:
            record.execute("DROP TRIGGER no")
        output = self.worker.quire("tasks", "clear", "--function", "old")
        self.assertEqual((output.returncode, output.stdout), (0, f"{ROWS} tasks deleted from {path}.\n"), output.stderr)
        self.assertEqual(self.old_tasks(), 0)
