"""How the work is divided: subsets, the budget of processes, scripts that run alone."""

import os
from collections import Counter

from support.controller import task, tasks_of
from support.scenario import Scenario


class TestDivision(Scenario):
    def pids(self, function, count):
        """How many jobs each process had, for a batch of this size."""
        results = self.controller.run(function, *(task() for _ in range(count)))
        self.assertEqual({result["exitCode"] for result in results}, {0}, results)
        return Counter(result["stdout"] for result in results)

    def test_a_batch_is_divided_into_as_many_processes_as_the_script_says(self):
        for count, sizes in ((1, [1]), (3, [1, 1, 1]), (4, [1, 1, 1, 1]), (10, [2, 2, 3, 3]),
                             (15, [3, 4, 4, 4]), (127, [31, 32, 32, 32]), (128, [32] * 4), (129, [32, 32, 32, 33])):
            with self.subTest(count):
                # A worker that knows the jobs to be quick already would divide the many less.
                function = f"pids_{count}"
                worker = self.start_worker({function: "pids"}, {"max_processes": "4"})
                self.assertEqual(sorted(self.pids(function, count).values()), sizes)
                worker.stop()

    def test_the_configuration_of_a_function_overrides_the_script(self):
        self.start_worker({"pids": "pids", "pids_three": "pids", "pids_one": "pids"}, {"max_processes": "4"},
                          functions={"pids_three": {"concurrent_instances": 3},
                                     "PIDS_ONE": {"concurrent_instances": 1}})
        self.assertEqual(len(self.pids("pids", 12)), 4)
        self.assertEqual(len(self.pids("pids_three", 12)), 3)
        self.assertEqual(len(self.pids("pids_one", 12)), 1)

    def check_that_batches_take_turns(self, functions):
        lock, gate = self.touch("lock"), self.gate()
        batches = [self.controller.submit(function, tasks_of(*(task(f"'{lock}' '{gate.path}'") for _ in range(3))))
                   for function in functions]
        gate.wait_for(1)
        # The first of them holds the lock now. While it does, others are answered.
        for _ in range(5):
            self.assertEqual(sum(self.pids("pids", 8).values()), 8)
        self.assertEqual(len(gate.arrived()), 1)
        gate.open()
        self.controller.wait(batches)
        for batch in batches:
            results = batch.results().values()
            self.assertEqual({result["exitCode"] for result in results}, {0}, results)
            self.assertEqual(len({result["stdout"] for result in results}), 1, "one process for the whole batch")

    def test_a_script_without_concurrent_instances_never_runs_twice_and_holds_nobody_up(self):
        self.start_worker({"exclusive": "exclusive", "pids": "pids"}, {"workers": "16"})
        self.check_that_batches_take_turns(["exclusive"] * 4)

    def test_one_script_under_two_functions_never_runs_twice_either(self):
        self.start_worker({"exclusive": "exclusive", "again": "exclusive", "pids": "pids"}, {"workers": "16"})
        self.check_that_batches_take_turns(["exclusive", "again"] * 2)

    def test_no_more_processes_run_than_the_budget_allows(self):
        # A batch without a process may have one beyond the budget while another has several: so one batch comes
        # alone, or each has no more than one.
        self.start_worker({"counted": "counted", "counted_one": "counted"}, {"max_processes": "3", "workers": "8"},
                          functions={"counted_one": {"concurrent_instances": 1}})
        for function, count in (("counted", 1), ("counted_one", 6)):
            with self.subTest(function):
                path = os.path.join(self.folder, function)
                with open(path, "w", encoding="utf-8") as counter:
                    counter.write("0 0\n")
                batches = [self.controller.submit(function, tasks_of(*(task(f"'{path}' 3") for _ in range(12))))
                           for _ in range(count)]
                self.controller.wait(batches)
                for batch in batches:
                    self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
                with open(path, encoding="utf-8") as counter:
                    # Three had to run at once before any could end; a fourth would have been seen.
                    self.assertEqual(counter.read(), "0 3\n")

    def test_a_long_batch_leaves_room_for_a_short_one(self):
        self.start_worker({"gated": "gated", "pids": "pids"}, {"max_processes": "2", "workers": "8"},
                          functions={"gated": {"concurrent_instances": 1}})
        gate = self.gate()
        long = self.controller.submit("gated", tasks_of(*(task(f"'{gate.path}'") for _ in range(100))))
        gate.wait_for(1)
        self.assertEqual(sum(self.pids("pids", 9).values()), 9)
        gate.open()
        self.controller.wait([long])
        self.assertEqual(len(long.results()), 100)
