"""Beside workers of another kind, and on several hosts: work is shared without harm."""

import json
import os

from support.controller import quote, task, tasks_of
from support.database_scenario import DatabaseScenario
from support.python_worker import PythonWorker
from support.waiting import wait_until


class TestSideBySide(DatabaseScenario):
    def start_host(self, modules, **settings):
        return self.start_worker({name: name for name in modules}, {**self.database.settings(self.folder), **settings})

    def test_a_python_worker_and_quire_share_the_batches_of_one_job_server(self):
        self.start_host(["gated"])
        gate = self.gate()
        python = PythonWorker(self.server.port, "gated", self.database,
                              lambda task_id, words: (0, "through the gate", ""))
        try:
            batches = []
            for _ in range(12):
                tasks = tasks_of(*(task(f"'{gate.path}'") for _ in range(10)))
                self.database.insert(tasks)
                batches.append(self.controller.submit("gated", tasks))
            # Each of the two has a part of them: ours comes to the gate, the other one has no gate.
            gate.wait_for(1)
            wait_until(lambda: python.answered, "the Python worker to take a batch")
            gate.open()
            self.controller.wait(batches)
        finally:
            python.stop()
        by_quire = set(gate.arrived())
        by_python = set(python.answered)
        everything = {task_id for batch in batches for task_id in batch.tasks}
        self.assertEqual(by_quire | by_python, everything)
        self.assertEqual(by_quire & by_python, set(), "a task was run by both")
        for batch in batches:
            self.assertEqual(batch.names, ["COMPLETE"])
            results = json.loads(batch.packets[0][1])["task_results"]
            for task_id in batch.tasks:
                self.assertEqual((results[task_id]["exitCode"], results[task_id]["stdout"]), (0, "through the gate"))
        rows = self.database.rows()
        self.assertEqual({(rows[task_id]["exitCode"], rows[task_id]["stdOut"]) for task_id in everything},
                         {("0", "through the gate")})

        # What the Python worker has ended is known when it comes to Quire.
        known = dict.fromkeys(python.answered[:10])
        batch = self.controller.submit("gated", {task_id: task("'/no such gate'") for task_id in known})
        self.controller.wait([batch])
        self.assertEqual({result["stdout"] for result in batch.results().values()}, {"through the gate"})

    def test_a_script_that_must_not_run_twice_runs_on_one_host_at_a_time_and_nobody_else_waits(self):
        gate = self.gate()
        held = os.path.join(self.folder, "held")
        hosts = [self.start_host(["exclusive"], exclusive_across_hosts="yes")]
        first = self.controller.submit("exclusive", tasks_of(task(f"{quote(held)} {quote(gate.path)}")))
        gate.wait_for(1)
        # One batch in hand at a time: one that waits must not count.
        hosts.append(self.start_host(["exclusive", "noted"], exclusive_across_hosts="yes", workers="1"))
        second = self.controller.submit("exclusive", tasks_of(task(f"{quote(held)} {quote(gate.path)}")))
        wait_until(lambda: "waits until its script has ended on another host" in hosts[1].log_text(),
                   "the second host to wait")
        notes = quote(os.path.join(self.folder, "notes"))
        self.assertEqual([result["exitCode"] for result in self.controller.run("noted", task(f"{notes} 0"))], [0])
        self.assertFalse(second.done)
        gate.open()
        self.controller.wait([first, second])
        self.assertEqual((first.result()["exitCode"], second.result()["exitCode"]), (0, 0), second.result())

    def test_a_lock_that_is_lost_is_told(self):
        gate = self.gate()
        held = os.path.join(self.folder, "held")
        worker = self.start_host(["exclusive"], exclusive_across_hosts="yes")
        batch = self.controller.submit("exclusive", tasks_of(task(f"{quote(held)} {quote(gate.path)}")))
        gate.wait_for(1)
        self.database.kill()
        wait_until(lambda: "on two hosts at once is lost" in worker.log_text(), "the worker to notice")
        self.database.start()
        wait_until(lambda: "the lock is held again" in worker.log_text(), "the worker to take the lock again")
        gate.open()
        self.controller.wait([batch])
        self.assertEqual(batch.result()["exitCode"], 0)
        self.assertIn("another host may have run the script at the same time", batch.result()["stderr"])

    def test_a_lock_without_a_database_is_an_error_at_the_start(self):
        worker = self.make_worker({"noted": "noted"}, {"exclusive_across_hosts": "yes"}).start()
        self.assertEqual(worker.wait(), 78, worker.log_text())
        self.assertIn("set mariadb_settings or mariadb_database", worker.log_text())
