"""The worker's own health: what it tells the service manager, and how it bears a lack of everything."""

import os
import resource
import signal
import socket

from other_user import limit_processes, prepare
from support import processes
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until
from support.worker import TESTS


class ServiceManager:
    """systemd's side of Type=notify."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self.told = []

    def hears(self, word):
        """Whether the worker has told this by now."""
        try:
            while True:
                self.told += self._socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return word in self.told

    def close(self):
        self._socket.close()


class TestHealth(Scenario):
    def test_READY_is_told_when_functions_are_registered_and_not_before(self):
        manager = ServiceManager(self.folder)
        self.addCleanup(manager.close)
        self.server.stop()
        worker = self.make_worker({"words": "words"})
        worker.environment["NOTIFY_SOCKET"] = manager.path
        worker.start()
        wait_until(lambda: "trying again" in worker.log_text(), "the worker to try in vain")
        self.assertFalse(manager.hears("READY=1"))
        self.server.start()
        wait_until(lambda: manager.hears("READY=1"), "READY")
        # What was sent before READY the job server reads when it comes to it.
        wait_until(lambda: self.server.is_offered("words"), "the function to be offered")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0)
        self.assertTrue(manager.hears("STOPPING=1"))

    def test_the_watchdog_is_fed_while_the_loops_turn(self):
        manager = ServiceManager(self.folder)
        self.addCleanup(manager.close)
        worker = self.make_worker({"words": "words"})
        worker.environment.update({"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"})
        worker.start()
        wait_until(lambda: manager.hears("READY=1"), "READY")
        for _ in range(3):
            manager.told.clear()
            wait_until(lambda: manager.hears("WATCHDOG=1"), "the watchdog to be fed")

    def test_a_host_that_is_not_ready_in_time_is_replaced(self):
        worker = self.make_worker({"slow": "slow"}, {"host_start_limit": "1"})
        # Slow the first time only, as on a machine that is out of breath.
        with open(os.path.join(worker.scripts, "slow.py"), "w", encoding="utf-8") as script:
            script.write(f"import os, time\n"
                         f"mark = {os.path.join(self.folder, 'was here')!r}\n"
                         f"if not os.path.exists(mark):\n"
                         f"    open(mark, 'w').close()\n"
                         f"    time.sleep(600)\n"
                         f"def call(jobs):\n"
                         f"    for job in jobs:\n"
                         f"        with job.JobContext():\n"
                         f"            job.print_output('done')\n")
        worker.start()
        self.wait_for_functions(worker, ["slow"])
        (result,) = self.controller.run("slow", task())
        self.assertEqual((result["exitCode"], result["stdout"]), (0, "done\n"))
        self.assertIn("host is replaced", worker.log_text())

    def test_an_import_that_hangs_for_ever_fails_its_tasks_and_nobody_elses(self):
        worker = self.make_worker({"stuck": "stuck", "words": "words"}, {"host_start_limit": "1"})
        with open(os.path.join(worker.scripts, "stuck.py"), "w", encoding="utf-8") as script:
            script.write("import time\ntime.sleep(600)\ndef call(jobs): pass\n")
        worker.start()
        self.wait_for_functions(worker, ["stuck", "words"])
        stuck = self.controller.submit("stuck", tasks_of(task()))
        self.assertEqual(self.controller.run("words", task("a"))[0]["exitCode"], 0)
        self.controller.wait([stuck])
        self.assertEqual(stuck.result()["exitCode"], 1)
        self.assertIn("host_start_limit", stuck.result()["stderr"])

    def test_a_host_that_is_stopped_or_killed_in_between_costs_no_task(self):
        worker = self.start_worker({"pids": "pids"})
        self.controller.run("pids", task())
        for _ in range(20):
            for pid in worker.descendants():
                if processes.parent(pid) == worker.pid:
                    processes.kill(pid)
            (result,) = self.controller.run("pids", task())
            self.assertEqual(result["exitCode"], 0, result)

    def check_shortage(self, limit, value, what):
        """With the limit so low, work waits and nothing fails; when it is lifted, all is done."""
        worker = self.start_worker({"words": "words", "pids": "pids"}, {"workers": "4"})
        self.controller.run("words", task("a"))
        before = resource.prlimit(worker.pid, limit)
        resource.prlimit(worker.pid, limit, (value(worker), before[1]))
        batches = [self.controller.submit("pids", tasks_of(*(task() for _ in range(4)))) for _ in range(12)]
        wait_until(lambda: what in worker.log_text(), f"the worker to run out: {what}")
        self.assertFalse(any(batch.done for batch in batches if batch.packets))
        resource.prlimit(worker.pid, limit, before)
        self.controller.wait(batches)
        for batch in batches:
            self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        taken = self.record.query("SELECT max(attempts) FROM Tasks")[0][0]
        self.assertEqual(taken, 1)
        self.figure(f"{len(batches)} batches during the shortage, none failed")

    def test_running_out_of_descriptors_fails_nothing(self):
        self.check_shortage(resource.RLIMIT_NOFILE, lambda worker: len(os.listdir(f"/proc/{worker.pid}/fd")) + 1,
                            "Too many open files")

    def test_running_out_of_processes_fails_nothing(self):
        worker = self.make_worker({"pids": "pids"}, {"workers": "4"})
        prepare(self, worker, os.path.join(TESTS, "scripts", "pids.py")).start()
        self.wait_for_functions(worker, ["pids"])
        self.controller.run("pids", task())
        (host,) = [pid for pid in worker.descendants() if processes.parent(pid) == worker.pid]
        limit_processes(host, 0)
        batches = [self.controller.submit("pids", tasks_of(*(task() for _ in range(4)))) for _ in range(6)]
        wait_until(lambda: "A process cannot be started" in worker.log_text(), "the worker to run out")
        self.assertFalse(any(batch.packets for batch in batches))
        most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        limit_processes(host, "unlimited" if most == resource.RLIM_INFINITY else most)
        self.controller.wait(batches)
        for batch in batches:
            self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        self.figure(f"{len(batches)} batches during the shortage, none failed")
