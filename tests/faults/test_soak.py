"""Soak: many tasks and many restarts of the job server in one go; what the worker holds must not grow."""

import os
import time

from ledger import LONG
from support import processes
from support.controller import Controller, task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until

TASKS, RESTARTS = (1_000_000, 200) if LONG else (20_000, 3)
BATCH = 128
IN_FLIGHT = 16


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class TestSoak(Scenario):
    def sample(self, done):
        pid = self.worker.pid
        return {"tasks": done, "rss": resident_kib(pid), "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                "children": sum(processes.parent(child) == pid for child in self.worker.descendants())}

    def test_a_worker_does_not_grow(self):
        functions = {"mix_native": "mix_native", "mix_python": "mix_python"}
        self.start_worker(functions, {"record": os.path.join(self.folder, "record.sqlite"), "host_idle_time": "0"})
        controller, batches, samples = None, [], []
        sent = done = failed = restarts = 0
        open_batches = []
        start = time.monotonic()
        while done < TASKS:
            try:
                if controller is None:
                    open_batches += [(batch.function, batch.tasks) for batch in batches]
                    batches.clear()
                    controller = Controller(self.server.port)
                while len(batches) < IN_FLIGHT and (open_batches or sent < TASKS):
                    if not open_batches:
                        function = "mix_native" if (sent // BATCH) % 2 else "mix_python"
                        count = min(BATCH, TASKS - sent)
                        open_batches.append((function, tasks_of(*(task("a b 0", wants_output=False)
                                                                  for _ in range(count)))))
                        sent += count
                    batches.append(controller.submit(*open_batches[-1]))
                    open_batches.pop()
                controller.pump(0.02)
            except ConnectionError:
                controller.close()
                controller = None
            for batch in [batch for batch in batches if batch.done]:
                batches.remove(batch)
                results = batch.results()
                done += len(results)
                failed += sum(result["exitCode"] != 0 for result in results.values())
            if done >= (len(samples) + 1) * TASKS / 20:
                samples.append(self.sample(done))
            if restarts < RESTARTS and done > (restarts + 1) * TASKS / (RESTARTS + 2):
                self.server.kill()
                self.server.start()
                restarts += 1
        controller.close()
        wait_until(lambda: self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0] == TASKS,
                   "every task to have its end on record")
        samples.append(self.sample(done))
        # The first tenth is for warming up: buffers, caches, threads.
        warm, last = samples[1], samples[-1]
        growth = (last["rss"] - warm["rss"]) * 100_000 / (last["tasks"] - warm["tasks"])
        self.figure(f"{TASKS} tasks, {restarts} restarts of gearmand, {TASKS / (time.monotonic() - start):.0f} tasks/s")
        self.figure(f"resident {warm['rss']} KiB after {warm['tasks']} tasks, {last['rss']} KiB at the end: "
                    f"{growth:.0f} KiB per 100,000 tasks")
        self.figure(f"descriptors {warm['descriptors']} and {last['descriptors']}, "
                    f"children {warm['children']} and {last['children']}")
        self.assertEqual(failed, 0)
        if LONG:
            self.assertLess(growth, 1024)
        self.assertLessEqual(last["children"], warm["children"])
        self.assertLessEqual(last["descriptors"], warm["descriptors"] + 4)
