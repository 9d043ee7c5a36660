"""A worker that is asked what it does, and told to cancel tasks, over its control socket."""

import os
import signal
import socket
import stat

from support.control import Control
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until

INDEPENDENT = ("gate_independent", "gated_independent")
CANCELLED = 130


class TestControl(Scenario):
    def start(self, *functions, **settings):
        self.start_worker({name: name.removesuffix("_b") for name in functions}, {"max_processes": "1", "grace_period": "60", **settings})
        self.control = Control(self.worker)
        self.the_gate = self.gate()

    def submit(self, function, *words):
        """A batch with a task for each: "" waits at the gate, "quick" does not."""
        return self.controller.submit(function, tasks_of(*(task(f"'{self.the_gate.path}' {word}") for word in words)))

    def ids_of(self, *batches):
        return [task_id for batch in batches for task_id in batch.tasks]

    def codes(self, batch):
        self.controller.wait([batch])
        return [batch.results()[task_id]["exitCode"] for task_id in batch.tasks]

    def begun(self, task_id):
        """How often a task was begun."""
        path = os.path.join(self.the_gate.path, task_id)
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8") as lines:
            return len(lines.readlines())

    # ---- status ----

    def test_tells_what_it_does(self):
        self.start("gated", "gated_independent", max_processes="2")
        running = self.submit("gated", "", "")
        self.the_gate.wait_for(2)
        # Its first task begins beside the budget, since the other batch has more than one process, and its second
        # waits in the same process.
        waiting = self.submit("gated_independent", "", "")
        self.the_gate.wait_for(3)
        status = self.control.status()
        self.assertEqual(status["pid"], self.worker.pid)
        self.assertEqual(status["settings"]["record"], self.worker.settings["record"])
        self.assertTrue(status["record_healthy"])
        self.assertEqual(status["servers"], [{"name": self.server.address, "connected": True, "in_hand": 2}])
        self.assertEqual(sorted(status["functions"]), ["gated", "gated_independent"])
        batches = {batch["handle"]: batch for batch in status["batches"]}
        one = batches[running.handle.decode()]
        self.assertEqual((one["tasks"], one["begun"], one["ended"]), (2, 2, 0))
        self.assertIn(("gated", "ready"), [(host["module"], host["state"]) for host in status["hosts"]])
        self.assertEqual(sorted(id_ for subset in status["subsets"] for id_ in subset["running"]),
                         sorted(self.ids_of(running) + self.ids_of(waiting)[:1]))
        two = [batch for batch in status["batches"] if batch["function"] == "gated_independent"][0]
        self.assertEqual((two["tasks"], two["begun"], two["ended"]), (2, 1, 0))
        self.the_gate.open()
        self.controller.wait([running, waiting])
        wait_until(lambda: not self.control.status()["batches"], "both batches to be answered")

    def test_the_socket_is_for_its_group_only_and_goes_with_the_worker(self):
        self.start("gate")
        self.assertEqual(stat.S_IMODE(os.stat(self.control.path).st_mode), 0o660)
        self.worker.stop()
        self.assertFalse(os.path.exists(self.control.path))

    def test_what_a_killed_worker_has_left_is_removed_by_the_next_one(self):
        self.start("gate")
        self.worker.signal(signal.SIGKILL)
        self.worker.wait()
        self.assertTrue(os.path.exists(self.control.path))
        before = self.control.path
        self.worker.start()
        self.wait_for_functions(self.worker, ["gate"])
        Control(self.worker)
        self.assertFalse(os.path.exists(before))

    def test_what_makes_no_sense_is_answered_and_costs_nothing(self):
        self.start("gate")
        for line in ("", "nonsense", "[]", "{}", '{"request":"statsu"}', '{"request":"cancel"}',
                     '{"request":"cancel","tasks":[1]}', '{"request":"cancel","tasks":[],"subset":3}'):
            with self.subTest(line):
                self.assertIn(b'"error"', self.control.ask(line))
        # Clients that say nothing, or never read, keep nobody waiting.
        folder = os.open(os.path.dirname(self.control.path), os.O_PATH)
        idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for client in idle:
            client.connect(f"/proc/self/fd/{folder}/{os.path.basename(self.control.path)}")
            client.sendall(b'{"request":"sta')
        batch = self.submit("gate", "quick")
        self.assertEqual(self.codes(batch), [0])
        self.assertEqual(self.control.status()["pid"], self.worker.pid)
        for client in idle:
            client.close()
        os.close(folder)

    # ---- cancel ----

    def test_a_task_that_waits_at_the_job_server_is_not_known(self):
        self.start("gate")
        first = self.submit("gate", "")
        self.the_gate.wait_for(1)
        second = self.submit("gate", "quick")
        # A script that must not run twice: its second batch is not taken before the first one has ended.
        self.assertEqual(self.control.cancel(*second.tasks), [("unknown", [])])
        self.the_gate.open()
        self.assertEqual(self.codes(first) + self.codes(second), [0, 0])

    def test_tasks_of_a_batch_in_hand_that_has_no_process_yet_never_begin(self):
        self.start("gated", "gated_independent", "gated_independent_b")
        first = self.submit("gated", "")
        self.the_gate.wait_for(1)
        second = self.submit("gated_independent", "", "quick")
        third = self.submit("gated_independent_b", "")
        wait_until(lambda: sum(len(batch["waiting"]) for batch in self.control.status()["batches"]) == 3,
                   "the tasks of both to wait for a process")
        cancelled, other = second.tasks
        (alone,) = third.tasks
        self.assertEqual(self.control.cancel(cancelled, alone, "nobody"),
                         [("kept", []), ("kept", []), ("unknown", [])])
        self.assertEqual(self.codes(third), [CANCELLED])
        self.assertIn("cancelled before it had begun", third.result()["stderr"])
        self.the_gate.open()
        self.assertEqual(self.codes(second), [CANCELLED, 0])
        self.assertEqual(self.codes(first), [0])
        self.assertEqual((self.begun(cancelled), self.begun(alone), self.begun(other)), (0, 0, 1))

    def test_of_independent_jobs_no_other_one_is_touched(self):
        self.start(*INDEPENDENT)
        for function in INDEPENDENT:
            with self.subTest(function):
                batch = self.submit(function, "quick", "", "quick", "quick")
                done, cancelled, later, last = batch.tasks
                wait_until(lambda: self.begun(cancelled), "the task to run")
                self.assertEqual(self.control.cancel(done, cancelled), [("too late", []), ("ending", [])])
                self.assertEqual(self.codes(batch), [0, CANCELLED, 0, 0])
                self.assertIn("cancelled while it ran", batch.results()[cancelled]["stderr"])
                self.assertEqual(batch.results()[done]["stdout"], "through the gate")
                self.assertEqual([self.begun(task_id) for task_id in (done, cancelled, later, last)], [1, 1, 1, 1])

    def test_an_independent_job_behind_one_that_runs_is_kept_from_beginning(self):
        self.start(*INDEPENDENT)
        for function in INDEPENDENT:
            with self.subTest(function):
                batch = self.submit(function, "quick", "", "quick", "quick")
                done, runs, cancelled, last = batch.tasks
                wait_until(lambda: self.begun(runs), "the task to run")
                self.assertEqual(self.control.cancel(cancelled), [("ending", [])])
                self.the_gate.open()
                self.assertEqual(self.codes(batch), [0, 0, CANCELLED, 0])
                self.assertIn("cancelled before it had begun", batch.results()[cancelled]["stderr"])
                self.assertEqual([self.begun(task_id) for task_id in (done, runs, cancelled, last)], [1, 1, 0, 1])
                os.unlink(os.path.join(self.the_gate.path, "open"))

    def test_tasks_that_share_a_process_are_named_and_fail_only_when_that_is_accepted(self):
        self.start("gate", "gated_shared")
        for function in ("gate", "gated_shared"):
            with self.subTest(function):
                batch = self.submit(function, "quick", "", "quick")
                done, cancelled, later = batch.tasks
                wait_until(lambda: self.begun(cancelled), "the task to run")
                self.assertEqual(self.control.cancel(cancelled), [("shared", [done])])
                self.assertEqual(self.control.cancel(later), [("shared", sorted([done, cancelled]))])
                self.assertEqual(self.control.cancel(cancelled, subset=True), [("ending", [done])])
                codes = self.codes(batch)
                self.assertEqual(codes[1:], [CANCELLED, 0])
                self.assertNotEqual(codes[0], 0)
                self.assertIn(f"task {cancelled}", batch.results()[done]["stderr"])
                self.assertEqual([self.begun(task_id) for task_id in (done, cancelled, later)], [1, 1, 1])
