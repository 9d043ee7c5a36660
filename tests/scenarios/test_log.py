"""The log: rotation while batches run, JSON, the levels of rooms, what failed tasks have written."""

import json
import os
import signal

from support.controller import task
from support.scenario import Scenario
from support.waiting import wait_until

FAILS = """
import os
def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.write_error("first\\nsecond " + job.args[1])
            os.write(1, b"\\xff\\x1b[31m")
            job.set_status(3)
"""


class TestLog(Scenario):
    def start(self, **settings):
        worker = self.make_worker({"fails": "fails"}, settings)
        with open(os.path.join(worker.scripts, "fails.py"), "w", encoding="utf-8") as script:
            script.write(FAILS)
        worker.start()
        self.wait_for_functions(worker, ["fails"])
        return worker

    def run_one(self):
        """The job's handle and the task's id."""
        one = task("x")
        batch = self.controller.submit("fails", {one["uuid"]: one})
        self.controller.wait([batch])
        return batch.handle.decode(), one["uuid"]

    def wait_for_text(self, path, text):
        wait_until(lambda: os.path.exists(path) and text in self.read(path), f"{path} to have: {text}")

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:  # strict: a line that is not UTF-8 fails here
            return file.read()

    def test_a_file_that_is_moved_away_is_made_anew_and_no_line_is_lost(self):
        path = os.path.join(self.folder, "quire.log")
        worker = self.start(log_file=path)
        first, _ = self.run_one()
        self.wait_for_text(path, f"{first} fails: 1 task, 1 failed")
        os.rename(path, path + ".1")
        second, _ = self.run_one()
        self.wait_for_text(path, f"{second} fails: 1 task, 1 failed")
        self.assertNotIn(second, self.read(path + ".1"))
        # logrotate's way: move, tell the worker, compress.
        os.rename(path, path + ".2")
        worker.signal(signal.SIGHUP)
        self.wait_for_text(path, "HUP: new settings")
        self.assertEqual(worker.log_text(), "")

    def test_json_with_the_output_of_failed_tasks(self):
        worker = self.start(log_format="json", log_failed_output="yes")
        handle, task_id = self.run_one()
        self.wait_for_text(worker.log, "1 failed")
        lines = [json.loads(line) for line in self.read(worker.log).splitlines()]
        (told,) = [line for line in lines if line.get("task") == task_id]
        self.assertEqual((told["job"], told["function"], told["room"], told["level"]),
                         (handle, "fails", "batch", "warning"))
        self.assertIn("stderr: first\nsecond x", told["message"])
        self.assertIn("\ufffd\x1b[31m", told["message"])
        (sentence,) = [line for line in lines if "1 task, 1 failed" in line["message"]]
        self.assertTrue(sentence["message"].startswith(f"{handle} fails: "))
        self.assertIn(task_id, sentence["message"])

    def test_a_level_for_each_room_changed_while_the_worker_runs(self):
        worker = self.start(log_levels="gearman=warning, batch=debug")
        handle, task_id = self.run_one()
        self.wait_for_text(worker.log, f"debug batch {handle} fails: task {task_id}: exit code 3")
        self.assertNotIn("connected", worker.log_text())
        worker.settings["log_levels"] = "batch=error"
        worker.write_config()
        worker.signal(signal.SIGHUP)
        self.wait_for_text(worker.log, "HUP: new settings")
        handle, _ = self.run_one()
        self.assertNotIn(handle, worker.log_text())

    def test_a_log_file_that_cannot_be_opened_ends_the_start_and_changes_nothing_later(self):
        worker = self.make_worker({"fails": "fails"}, {"log_file": os.path.join(self.folder, "none", "log")})
        self.assertEqual(worker.start().wait(), 78)
        self.assertIn("cannot be opened: No such file or directory (log_file)", worker.log_text())
        other = self.start()
        other.settings["log_file"] = os.path.join(self.folder, "none", "log")
        other.write_config()
        other.signal(signal.SIGHUP)
        self.wait_for_text(other.log, "the settings stay as they were")
