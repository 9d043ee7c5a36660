"""The record: read while it is written, refused when it cannot be opened, and never the cost of a reply."""

import os
import resource
import sqlite3
import urllib.error
import urllib.request

from support.controller import task, tasks_of
from support.job_server import free_port
from support.record import as_bytes
from support.scenario import Scenario
from support.waiting import wait_until


class TestRecord(Scenario):
    def batch_of(self, count, text="x"):
        return self.controller.submit("mix_native", tasks_of(*(task(f"%taskUUID% {text} 0") for _ in range(count))))

    def test_others_read_it_while_work_goes_on(self):
        self.start_worker({"mix_native": "mix_native"})
        batches = [self.batch_of(128) for _ in range(60)]
        counts = [0]
        for batch in batches:
            self.controller.wait([batch])
            # What has been answered is in the record; a reader sees no half of a batch's results.
            finished = self.record.query("SELECT count(*) FROM Tasks WHERE exitCode IS NOT NULL")[0][0]
            self.assertGreaterEqual(finished, counts[-1])
            counts.append(finished)
            answered = set(batch.tasks)
            self.assertEqual({row[0] for row in self.record.query("SELECT taskUUID FROM Tasks WHERE exitCode = 0")}
                             & answered, answered)
        self.assertEqual(self.record.count(), 60 * 128)
        self.assertEqual(self.record.query("PRAGMA integrity_check")[0][0], "ok")

    def test_without_a_record_everything_is_run_and_nothing_is_kept(self):
        self.start_worker({"mix_native": "mix_native", "mix_python": "mix_python"},
                          {"record": "none", "page_address": f"127.0.0.1:{free_port()}"})
        tasks = tasks_of(task("one x 3"), task("two y 0"))
        for _ in range(2):  # delivered again, both are run again
            for function in ("mix_native", "mix_python"):
                batch = self.controller.submit(function, tasks)
                self.controller.wait([batch])
                self.assertEqual([batch.results()[each]["exitCode"] for each in tasks], [3, 0])
        self.assertFalse(os.path.exists(os.path.join(self.worker.folder, "none")))
        sentence = "No record of tasks is kept here (record = none)"
        for words in (("list",), ("show", next(iter(tasks))), ("retry", next(iter(tasks))), ("export",), ("clear", "--all")):
            done = self.worker.quire("tasks", *words)
            self.assertEqual(done.returncode, 69, words)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("record      none: nothing is kept", self.worker.quire("status").stdout)
        doctor = self.worker.quire("doctor").stdout
        self.assertRegex(doctor, r"ok +record +No record is kept")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{self.worker.settings['page_address']}/", timeout=30)
        self.assertEqual(refused.exception.code, 503)
        self.assertIn(sentence, refused.exception.read().decode())
        refused.exception.close()

    def test_a_running_task_has_a_start_and_no_end(self):
        self.start_worker({"gated": "gated"})
        gate = self.gate()
        (task_id,) = tasks = tasks_of(task(f"'{gate.path}'"))
        batch = self.controller.submit("gated", tasks)
        gate.wait_for(1)
        row = self.record.row(task_id)
        self.assertIsNotNone(row["startTime"])
        self.assertEqual((row["endTime"], row["exitCode"]), (None, None))
        gate.open()
        self.controller.wait([batch])
        self.assertEqual(self.record.row(task_id)["exitCode"], 0)

    def test_times_are_utc_with_microseconds_and_the_client_is_named(self):
        self.start_worker({"mix_native": "mix_native"})
        batch = self.batch_of(1)
        self.controller.wait([batch])
        (row,) = self.record.rows().values()
        for column in ("startTime", "endTime"):
            self.assertRegex(row[column], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$")
        self.assertIn(os.uname().nodename, row["client"])
        finished = batch.result()["finishedTimestamp"]
        self.assertLessEqual(row["startTime"], finished.replace("T", " "))

    def test_output_is_recorded_only_where_it_is_wanted_and_errors_of_failures_always(self):
        self.start_worker({"mix_native": "mix_native"}, {"capture_client_script_output": "no"})
        good, bad = tasks = tasks_of(task("a b 0"), task("a b 3"))
        batch = self.controller.submit("mix_native", tasks)
        self.controller.wait([batch])
        self.assertEqual(as_bytes(self.record.row(good)["stdOut"]), b"")
        self.assertEqual(as_bytes(self.record.row(bad)["stdError"]).decode(), f"error of {bad}")
        # The controller asked for it; what is recorded is another matter.
        self.assertEqual(batch.results()[good]["stdout"], f"mix_native {good} a b")

    def check_that_it_is_refused(self, record, *reasons):
        worker = self.make_worker({"mix_native": "mix_native"}, {"record": record}).start()
        self.assertEqual(worker.wait(), 78, worker.log_text())
        for reason in reasons:
            self.assertIn(reason, worker.log_text())
        self.assertFalse(self.server.is_offered("mix_native"))

    def test_a_record_that_cannot_be_opened_is_an_error_at_the_start(self):
        folder = os.path.join(self.folder, "a folder")
        os.mkdir(folder)
        self.check_that_it_is_refused(folder, folder)
        other = os.path.join(self.folder, "another program's")
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE theirs (letter)")
        self.check_that_it_is_refused(other, other, "another program")

    def test_a_corrupt_record_costs_no_reply_and_gives_way_to_a_new_one(self):
        record = os.path.join(self.folder, "corrupt.sqlite")
        with open(record, "w", encoding="utf-8") as file:
            file.write("A letter to the archivist. " * 1000)
        worker = self.start_worker({"mix_native": "mix_native"}, {"record": record})
        wait_until(lambda: "cannot be written: file is not a database" in worker.log_text(), "the worker to say so")
        batch = self.batch_of(10)
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        with open(record, encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("A letter"), "the file was harmed")
        os.rename(record, record + ".away")
        wait_until(lambda: "is written again" in worker.log_text(), "the worker to make a new record")
        wait_until(lambda: self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0] == 10,
                   "what was kept to be written")

    def test_another_program_that_holds_the_record_delays_and_loses_nothing(self):
        self.start_worker({"mix_native": "mix_native"})
        self.controller.wait([self.batch_of(1)])
        with self.record.locked():
            batch = self.batch_of(128)
            wait_until(lambda: self.server.running("mix_native") == 1, "the batch to be taken")
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        self.assertEqual(self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0], 129)

    def test_a_record_that_cannot_be_written_any_more_costs_no_reply(self):
        # With the signal ignored, a write past the limit fails as one on a full disk does.
        self.start_worker({"mix_native": "mix_native"}, through=("env", "--ignore-signal=XFSZ"))
        # The hosts are started and the record's journal has outgrown the limit that follows.
        for _ in range(3):
            self.controller.wait([self.batch_of(128, "x" * 500)])
        before = self.record.count()
        unlimited = resource.prlimit(self.worker.pid, resource.RLIMIT_FSIZE)
        # In the worker and nowhere else.
        resource.prlimit(self.worker.pid, resource.RLIMIT_FSIZE, (96 << 10, unlimited[1]))
        batch = self.batch_of(128, "y" * 20)
        self.controller.wait([batch])
        for task_id, result in batch.results().items():
            self.assertEqual((result["exitCode"], result["stdout"]), (0, f"mix_native {task_id} {task_id} {'y' * 20}"))
        self.assertEqual(self.record.count(), before)
        self.assertIn(self.worker.settings["record"], self.worker.log_text())

        resource.prlimit(self.worker.pid, resource.RLIMIT_FSIZE, unlimited)
        self.controller.wait([self.batch_of(128)])
        # What could not be written has been kept, and is there too.
        self.assertEqual(self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0], before + 256)
