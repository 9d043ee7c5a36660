"""Start, end, and the job server's own comings and goings; no process is ever left behind."""

import os
import signal
import time

from support import processes
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until


class TestLifecycle(Scenario):
    def test_an_idle_worker_ends_at_once_when_told_to(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                worker = self.start_worker({"mix_native": "mix_native", "mix_python": "mix_python"})
                self.controller.run("mix_native", task("a b 0"))
                self.controller.run("mix_python", task("a b 0"))
                self.assertNotEqual(worker.descendants(), [], "the hosts are warm")
                start = time.monotonic()
                worker.signal(number)
                self.assertEqual(worker.wait(), 0)
                self.assertLess(time.monotonic() - start, 10)
                worker.assert_nothing_left()
                self.assertFalse(self.server.is_offered("mix_native"))

    def test_a_batch_in_hand_is_finished_and_answered_before_the_end(self):
        worker = self.start_worker({"gated": "gated"}, functions={"gated": {"concurrent_instances": 2}})
        gate = self.gate()
        batch = self.controller.submit("gated", tasks_of(*(task(f"'{gate.path}'") for _ in range(10))))
        gate.wait_for(2)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: "signal 15" in worker.log_text(), "the worker to say that it ends")
        later = self.controller.submit("gated", tasks_of(task(f"'{gate.path}'")))
        self.controller.wait_for_handles([later])
        gate.open()
        self.controller.wait([batch])
        self.assertEqual({(result["exitCode"], result["stdout"]) for result in batch.results().values()},
                         {(0, "through the gate")})
        self.assertEqual(worker.wait(), 0)
        self.assertEqual(self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0], 10)
        # What came after the signal is left to others, untouched.
        self.assertFalse(later.done)
        self.assertEqual(self.server.status()["gated"][:2], (1, 0))

    def test_a_killed_worker_takes_its_processes_with_it_and_another_runs_its_batch(self):
        worker = self.start_worker({"gated": "gated"})
        gate = self.gate()
        batch = self.controller.submit("gated", tasks_of(*(task(f"'{gate.path}'") for _ in range(4))))
        gate.wait_for(2)
        worker.signal(signal.SIGKILL)
        worker.wait()
        worker.assert_nothing_left()
        gate.open()
        self.start_worker({"gated": "gated"})
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})

    def test_a_second_signal_ends_the_worker_at_once_and_leaves_its_batch_to_another(self):
        worker = self.start_worker({"gated": "gated"})
        gate = self.gate()
        batch = self.controller.submit("gated", tasks_of(*(task(f"'{gate.path}'") for _ in range(4))))
        gate.wait_for(1)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: "signal 15" in worker.log_text(), "the worker to say that it ends")
        self.assertFalse(batch.done)
        worker.signal(signal.SIGINT)
        self.assertEqual(worker.wait(), 0)
        worker.assert_nothing_left()
        gate.open()
        self.start_worker({"gated": "gated"})
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})

    def test_a_host_that_is_killed_is_replaced(self):
        worker = self.start_worker({"pids": "pids"})
        self.controller.run("pids", task())
        for _ in range(3):
            hosts = worker.descendants()
            self.assertNotEqual(hosts, [])
            for pid in hosts:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not any(map(processes.is_alive, hosts)), "the hosts to die")
            (result,) = self.controller.run("pids", task())
            self.assertEqual(result["exitCode"], 0, result)

    def test_a_worker_outlives_its_job_server(self):
        self.start_worker({"pids": "pids"})
        self.controller.run("pids", task())
        self.server.kill()
        self.server.start()
        self.wait_for_functions(self.worker, ["pids"])
        batch = self.new_controller().submit("pids", tasks_of(task()))
        self._controllers[-1].wait([batch])
        self.assertEqual(batch.result()["exitCode"], 0)

    def test_a_worker_that_is_started_before_its_job_server_waits_for_it(self):
        self.server.stop()
        worker = self.make_worker({"pids": "pids"}).start()
        wait_until(lambda: not worker.is_running() or self.server.address in worker.log_text(),
                   "the worker to say that it cannot reach its server")
        self.assertTrue(worker.is_running(), worker.log_text())
        self.server.start()
        self.wait_for_functions(worker, ["pids"])
        self.assertEqual(self.controller.run("pids", task())[0]["exitCode"], 0)

    def test_a_batch_whose_server_died_is_no_harm(self):
        self.start_worker({"gated": "gated", "pids": "pids"})
        gate = self.gate()
        self.controller.submit("gated", tasks_of(task(f"'{gate.path}'")))
        self.controller.wait_for_handles(self.controller._unconfirmed)
        gate.wait_for(1)
        self.server.kill()
        self.server.start()
        gate.open()
        self.wait_for_functions(self.worker, ["pids"])
        batch = self.new_controller().submit("pids", tasks_of(task()))
        self._controllers[-1].wait([batch])
        self.assertEqual(batch.result()["exitCode"], 0)

    def test_a_configuration_that_cannot_be_used_is_an_error_with_file_and_line(self):
        worker = self.make_worker({"pids": "pids"}, {"max_proceses": "2"}).start()
        self.assertEqual(worker.wait(), 78)
        with open(worker.config, encoding="utf-8") as config:
            line = [text.split(" ")[0] for text in config].index("max_proceses") + 1
        self.assertIn(f"{worker.config}:{line}", worker.log_text())
