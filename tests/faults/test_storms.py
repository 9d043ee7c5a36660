"""Storms: what runs a task is killed again and again, and a ledger tells that none was lost or run for nothing."""

import os
import signal
import time

from ledger import FOLDERS, FUNCTIONS, LONG, Ledger, seeded, sizes
from support import processes
from support.controller import Controller
from support.job_server import JobServer
from support.scenario import Scenario
from support.waiting import wait_until

TASKS, KILLS = (50_000, 200) if LONG else (1_500, 8)
SERVER_KILLS = 50 if LONG else 4
IN_FLIGHT = 16


class TestStorms(Scenario):
    def setUp(self):
        super().setUp()
        self.ledger = Ledger(self.folder)
        self.random = seeded(self)

    def start(self, **settings):
        return self.start_worker(FUNCTIONS, {"max_attempts": "1000", "workers": "4", **settings}, folders=FOLDERS)

    def plan(self, total, milliseconds=0):
        """[(function, tasks)]; a program a task takes long, so there are few of these."""
        plan = []
        for size in sizes(total, self.random):
            function = self.random.choice(("ledger_native", "ledger_native", "ledger_python"))
            if size <= 7:
                function = "ledger_program"
            plan.append((function, self.ledger.batch(size, milliseconds)))
        return plan

    def pause(self, most=0.25):
        time.sleep(self.random.random() * most)  # the moment of a kill is meant to be random

    def check(self, answers, sent):
        """answers: {task id: [results]}"""
        lost = [task_id for task_id in sent if task_id not in answers]
        rows = self.record.rows()
        differing = [task_id for task_id, results in answers.items()
                     if any((result["exitCode"], result["stdout"]) != (rows[task_id]["exitCode"], rows[task_id]["stdOut"])
                            for result in results)]
        changed = [task_id for task_id, (_, row) in self.ledger.ended_on_record.items()
                   if row != (rows[task_id]["exitCode"], rows[task_id]["stdOut"])]
        again = self.ledger.run_again()
        self.figure(f"{len(sent)} tasks, {len(lost)} lost, {len(differing) + len(changed)} with two results, "
                    f"{len(again)} run again after their end was on record")
        self.assertEqual((lost, differing, changed, again), ([], [], [], []))
        return rows

    def test_the_worker_is_killed_again_and_again(self):
        worker = self.start()
        plan = self.plan(TASKS, milliseconds=3)
        sent = {task_id for _, tasks in plan for task_id in tasks}
        waiting, batches, kills = list(plan), [], 0

        def feed():
            while waiting and sum(not batch.done for batch in batches[-4 * IN_FLIGHT:]) < IN_FLIGHT:
                batches.append(self.controller.submit(*waiting.pop()))
            self.controller.pump(0.01)

        while kills < KILLS:
            end = time.monotonic() + self.random.random() * 0.5
            while time.monotonic() < end:
                feed()
            worker.signal(signal.SIGKILL)
            worker.wait()
            kills += 1
            self.ledger.look_at_record(self.record, time.time_ns())
            worker.start()
        while waiting or not all(batch.done for batch in batches):
            feed()
        self.controller.wait(batches)
        answers = {task_id: [result] for batch in batches for task_id, result in batch.results().items()}
        rows = self.check(answers, sent)
        self.assertEqual({row["exitCode"] for row in rows.values()}, {0})
        self.figure(f"{kills} kills of the worker, "
                    f"{sum(len(times) - 1 for times in self.ledger.lines('B').values())} tasks begun again")

    def test_processes_that_run_subsets_are_killed(self):
        worker = self.start()
        plan = self.plan(TASKS, milliseconds=2)
        sent = {task_id for _, tasks in plan for task_id in tasks}
        batches, kills = [], 0
        while plan or not all(batch.done for batch in batches):
            while plan and sum(not batch.done for batch in batches[-4 * IN_FLIGHT:]) < IN_FLIGHT:
                batches.append(self.controller.submit(*plan.pop()))
            self.controller.pump(0.01)
            subsets = [pid for pid in worker.descendants() if processes.parent(processes.parent(pid)) == worker.pid]
            if kills < KILLS and subsets and self.random.random() < 0.15:
                processes.kill(self.random.choice(subsets))
                kills += 1
        results = {task_id: result for batch in batches for task_id, result in batch.results().items()}
        killed = [task_id for task_id, result in results.items() if result["exitCode"] != 0]
        self.check({task_id: [result] for task_id, result in results.items()}, sent)
        begun = self.ledger.lines("B")
        self.assertEqual([task_id for task_id, times in begun.items() if len(times) > 1], [], "run twice")
        self.assertEqual({results[task_id]["exitCode"] for task_id in killed} - {137}, set())
        self.figure(f"{kills} kills of subsets, {len(killed)} tasks failed with them, 0 begun twice")

    def restart_server(self):
        self.pause()
        self.server.kill()
        self.ledger.look_at_record(self.record, time.time_ns())
        self.server.start()

    def test_the_job_server_is_killed_with_foreground_jobs(self):
        self.start()
        open_batches = self.plan(TASKS // 2, milliseconds=2)
        sent = {task_id for _, tasks in open_batches for task_id in tasks}
        answers, kills, controller, batches = {}, 0, None, []
        # What had no answer when the server died is sent once more, as a controller does that starts again.
        while open_batches or batches:
            try:
                if controller is None:
                    open_batches += [(batch.function, batch.tasks) for batch in batches]
                    batches.clear()
                    controller = Controller(self.server.port)
                while open_batches and len(batches) < IN_FLIGHT:
                    batches.append(controller.submit(*open_batches[-1]))
                    open_batches.pop()
                controller.pump(0.02)
            except ConnectionError:
                if controller is not None:  # the server may be gone again before there is a connection
                    controller.close()
                controller = None
            for batch in [batch for batch in batches if batch.done]:
                batches.remove(batch)
                for task_id, result in batch.results().items():
                    answers.setdefault(task_id, []).append(result)
            if kills < SERVER_KILLS and self.random.random() < 0.1:
                self.restart_server()
                kills += 1
        if controller is not None:
            controller.close()
        self.check(answers, sent)
        self.figure(f"{kills} kills of gearmand")

    def test_the_job_server_is_killed_with_background_jobs_in_its_queue(self):
        self.server.stop()
        self.server = JobServer(self.folder, queue=os.path.join(self.folder, "queue.sqlite"))
        self.addCleanup(self.server.stop)
        worker = self.make_worker(FUNCTIONS, {"max_attempts": "1000"}, folders=FOLDERS)
        batches = [self.controller.submit(*batch, background=True) for batch in self.plan(TASKS // 2, milliseconds=2)]
        self.controller.wait_for_handles(batches)
        sent = {task_id for batch in batches for task_id in batch.tasks}
        self.controller.close()
        self._controllers.clear()
        worker.start()
        self.wait_for_functions(worker, FUNCTIONS)
        kills = 0
        while kills < SERVER_KILLS:
            self.restart_server()
            kills += 1
        wait_until(lambda: self.server.waiting() == 0, "the queue to be empty", guard=600)
        rows = self.record.rows()
        self.check({task_id: [] for task_id, row in rows.items() if row["exitCode"] is not None}, sent)
        self.figure(f"{kills} kills of gearmand, {self.server.waiting()} jobs left in its queue")
