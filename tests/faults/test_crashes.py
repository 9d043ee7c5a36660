"""Crashes that tests/scenarios/test_isolation.py does not have: threads, the C border, floods, trickles."""

import os
import re
import signal
import time

from ledger import FOLDERS, LONG
from support import processes
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until

FLOOD = (1024 if LONG else 64) << 20


class TestCrashes(Scenario):
    def setUp(self):
        super().setUp()
        self.start_worker({"crashes_native": "crashes_native", "crashes_python": "crashes_python",
                           "crashes_program": "crashes_program", "fresh_python": "fresh_python"}, {"output_limit": "1024"}, folders=FOLDERS)

    def check(self, function, what, code, reason):
        """The fault costs its own subset and no other."""
        results = self.controller.run(function, *(task("ok") for _ in range(3)), task("ok"), task(what), task("ok"))
        for result in results[:3]:
            self.assertEqual((result["exitCode"], result["stdout"]), (0, "done ok\n"), result)
        self.assertEqual(results[4]["exitCode"], code, results[4])
        self.assertRegex(results[4]["stderr"], reason)

    def fresh(self, what):
        """A task of a script that must not be forked. Gives the batch, its process and the daemon that it leaves."""
        told = os.path.join(self.folder, what)
        batch = self.controller.submit("fresh_python", tasks_of(task(f"{what} '{told}'")))
        self.controller.wait_for_handles([batch])
        text = wait_until(lambda: os.path.exists(told) and open(told, encoding="utf-8").read(), "the script to begin")
        return batch, [int(pid) for pid in text.split()]

    def gone(self, pids):
        wait_until(lambda: not any(map(processes.is_alive, pids)), f"{pids} to be ended")

    def test_a_script_that_must_not_be_forked_leaves_nothing_behind_either(self):
        for what, code in (("end", 0), ("die", 137)):
            with self.subTest(what):
                batch, pids = self.fresh(what)
                self.controller.wait([batch])
                self.assertEqual(batch.result()["exitCode"], code)
                self.gone(pids)

    def test_nor_does_it_when_the_worker_is_killed(self):
        _, pids = self.fresh("wait")
        self.worker.signal(signal.SIGKILL)
        self.worker.wait()
        self.gone(pids)
        self.worker.assert_nothing_left()

    def test_a_daemon_is_ended_when_the_worker_is_killed(self):
        for function in ("limits_native", "limits_python", "limits_program"):
            with self.subTest(function):
                worker = self.start_worker({function: function}, folders=FOLDERS)
                batch = self.controller.submit(function, tasks_of(task("daemon"), task("sleep")))
                self.controller.wait_for_handles([batch])
                wait_until(lambda: len(worker.descendants()) >= 3, "host, subset and daemon to be there")
                worker.signal(signal.SIGKILL)
                worker.wait()
                worker.assert_nothing_left()

    def test_an_exception_in_a_thread(self):
        self.check("crashes_native", "thread", 134, "signal 6")

    def test_an_exception_across_the_C_border(self):
        self.check("crashes_native", "C", 134, "signal 6")

    def test_a_stack_that_overflows(self):
        self.check("crashes_native", "stack", 139, "signal 11")

    def test_a_thread_that_goes_on_after_call(self):
        results = self.controller.run("crashes_native", task("leave"), task("ok"))
        self.assertEqual({result["exitCode"] for result in results}, {0})

    def test_a_flood_on_stdout_is_cut_and_blocks_nobody(self):
        for function in ("crashes_native", "crashes_python", "crashes_program"):
            with self.subTest(function):
                flood = self.controller.submit(function, tasks_of(task(f"flood {FLOOD}")))
                start = time.monotonic()
                (result,) = self.controller.run("crashes_native", task("ok"))
                self.assertEqual(result["stdout"], "done ok\n")
                beside = time.monotonic() - start
                self.controller.wait([flood], guard=300)
                taken = time.monotonic() - start
                result = flood.result()
                self.assertEqual(result["exitCode"], 0)
                (missing,) = re.findall(r"passed output_limit \(1024 KiB\): (\d+) bytes", result["stderr"])
                self.assertGreater(int(missing), FLOOD - (2 << 20))
                self.figure(f"{function}: {FLOOD >> 20} MiB in {taken:.1f} s, another batch beside it {1000 * beside:.0f} ms")

    def test_zero_bytes_and_broken_text(self):
        (task_id,) = tasks = tasks_of(task("garbage"))
        batch = self.controller.submit("crashes_native", tasks)
        self.controller.wait([batch])
        self.assertEqual(batch.result()["stdout"], "a\0b\ufffd\ufffd(\ufffddone garbage\n")
        self.assertEqual(bytes(self.record.row(task_id)["stdOut"]), b"a\0b\xff\xc3(\xedd"[:-1] + b"done garbage\n")

    def test_a_slow_trickle_of_output_is_waited_for(self):
        for function in ("crashes_native", "crashes_python", "crashes_program"):
            (result,) = self.controller.run(function, task("trickle"))
            self.assertEqual(result["exitCode"], 0)
