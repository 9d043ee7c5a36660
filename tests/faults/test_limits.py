"""Limits: what goes beyond one is ended or cut, says which, and harms nobody else."""

import re
import time

from ledger import FOLDERS
from support import processes
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until
from support.worker import SANITIZED

ALL = ("limits_native", "limits_python", "limits_program")


class TestLimits(Scenario):
    def start(self, **limits):
        """A worker whose scripts have these limits; each may also be given for one of them."""
        functions = {name: limits for name in ALL}
        return self.start_worker({**{name: name for name in ALL}, "words": "words"}, functions=functions, folders=FOLDERS)

    def run_one(self, function, what):
        return self.controller.run(function, task(what))[0]

    def check_struck(self, result, code, limit):
        self.assertEqual(result["exitCode"], code, result)
        self.assertIn(limit, result["stderr"])

    def test_time_is_up(self):
        self.start(time_limit=1, grace_period=1)
        for function in ALL:
            with self.subTest(function):
                start = time.monotonic()
                self.check_struck(self.run_one(function, "sleep"), 143, "time_limit = 1")
                self.assertLess(time.monotonic() - start, 20)

    def test_who_ignores_TERM_is_killed_after_the_grace_period(self):
        self.start(time_limit=1, grace_period=1)
        # Of a program, the process that runs it ends with TERM, and takes it along.
        for function, code in (("limits_native", 137), ("limits_python", 137), ("limits_program", 143)):
            with self.subTest(function):
                self.check_struck(self.run_one(function, "spin"), code, "time_limit = 1")
        wait_until(lambda: len(self.worker.descendants()) <= len(ALL), "all that ran to be gone")

    def test_TERM_gives_a_script_time_to_end_in_good_order(self):
        self.start(time_limit=1, grace_period=30)
        result = self.run_one("limits_python", "TERM")
        self.check_struck(result, 1, "time_limit = 1")
        self.assertIn("ended in good order", result["stderr"])

    def test_a_fork_bomb_is_ended_to_its_last_process(self):
        worker = self.start(process_limit=40)
        for function in ALL:
            with self.subTest(function):
                self.check_struck(self.run_one(function, "bomb"), 137, "process_limit = 40")
                # The hosts stay, and nothing else.
                wait_until(lambda: len(worker.descendants()) <= len(ALL), "the bomb to be gone")

    def test_processes_within_the_limit_are_nobodys_business(self):
        self.start(process_limit=40)
        for function in ALL:
            self.assertEqual(self.run_one(function, "ok")["exitCode"], 0)

    def test_memory(self):
        self.start(memory_limit=512)
        functions = ("limits_python",) if SANITIZED else ("limits_native", "limits_python")
        for function in functions:
            with self.subTest(function):
                self.check_struck(self.run_one(function, "memory"), 1, "memory_limit = 512")
                self.assertEqual(self.run_one(function, "ok")["exitCode"], 0)

    def test_open_files(self):
        self.start(open_files_limit=100)
        for function in ("limits_native", "limits_python"):
            with self.subTest(function):
                self.check_struck(self.run_one(function, "files"), 1, "open_files_limit = 100")
                self.assertEqual(self.run_one(function, "ok")["exitCode"], 0)

    def test_of_much_output_head_and_tail_are_kept(self):
        self.start(output_limit=16)
        for function in ALL:
            with self.subTest(function):
                result = self.run_one(function, "output")
                self.assertEqual(result["exitCode"], 0)
                self.assertTrue(result["stdout"].startswith("beginxxx"))
                self.assertIn("xxxenddone output\n", result["stdout"])
                (missing,) = re.findall(r"\n\[quire: (\d+) bytes are missing here: output_limit is 16 KiB\]\n",
                                        result["stdout"])
                self.assertEqual(int(missing), len("begin" + "end" + "done output\n") + (1 << 20) - 16 * 1024)
                self.assertIn(f"passed output_limit (16 KiB): {missing} bytes", result["stderr"])

    def test_so_it_is_with_what_a_process_prints(self):
        self.start(output_limit=16)
        for function in ("limits_native", "limits_python"):
            with self.subTest(function):
                (task_id,) = tasks = tasks_of(task("print"))
                batch = self.controller.submit(function, tasks)
                self.controller.wait([batch])
                printed = self.record.row(task_id)["processOut"]
                self.assertLess(len(printed), 17 * 1024)
                self.assertTrue(printed.startswith("beginxxx") and printed.endswith("xxxend"), printed[:100])
                self.assertIn("stdout passed output_limit (16 KiB)", batch.result()["stderr"])

    def test_a_daemon_that_is_left_behind_holds_no_reply_and_is_ended(self):
        self.start()
        for function in ALL:
            with self.subTest(function):
                result = self.run_one(function, "daemon")
                self.assertEqual(result["exitCode"], 0, result)
                pid = int(result["stdout"])
                wait_until(lambda daemon=pid: not processes.is_alive(daemon), "the daemon to be ended")

    def test_who_comes_near_no_limit_does_not_notice_them(self):
        self.start(time_limit=60, memory_limit=0 if SANITIZED else 4096, open_files_limit=256,
                   process_limit=100, output_limit=1024)
        for function in ALL:
            (result,) = self.controller.run(function, task("ok"))
            self.assertEqual((result["exitCode"], result["stdout"], result["stderr"]), (0, "done ok\n", ""))
