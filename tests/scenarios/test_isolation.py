"""What a script does wrong costs its own subset, and says so; what it prints stays its own."""

from support.controller import task, tasks_of
from support.record import as_bytes
from support.scenario import Scenario

FUNCTIONS = {name: name for name in ("faults", "faults_independent", "faults_python", "faults_program")}


class TestIsolation(Scenario):
    def setUp(self):
        super().setUp()
        self.start_worker(FUNCTIONS)

    def run_batch(self, function, *arguments):
        """Six jobs: three good ones for the first process, and these for the second. Gives the results."""
        return self.controller.run(function, *(task("ok") for _ in range(3)), *(task(text) for text in arguments))

    def check_good(self, results, what="ok"):
        for result in results:
            self.assertEqual((result["exitCode"], result["stdout"]), (0, f"done {what}\n"), result)

    def check_failed(self, results, code, reason):
        for result in results:
            self.assertEqual(result["exitCode"], code, result)
            self.assertRegex(result["stderr"], reason)

    def test_a_process_that_dies_fails_its_own_subset_and_names_the_signal_or_code(self):
        for function, what, code, reason in (
                ("faults", "segfault", 139, "signal 11"), ("faults", "abort", 134, "signal 6"),
                ("faults", "kill", 137, "signal 9"), ("faults", "_exit0", 1, "code 0"),
                ("faults", "exit3", 3, "code 3"),
                ("faults_python", "segfault", 139, "signal 11"), ("faults_python", "kill", 137, "signal 9"),
                ("faults_python", "_exit0", 1, "code 0"),
                ("faults_python", "SystemExit", 3, r"code 3|SystemExit\(3\)")):
            with self.subTest(function=function, what=what):
                results = self.run_batch(function, "ok", what, "ok")
                self.check_good(results[:3])
                # The job before the fault was done, but its subset's transaction was not.
                self.check_failed(results[3:], code, reason)

    def test_what_leaves_call_fails_the_subset_with_its_text(self):
        for function, code, text in (("faults", 1, "thrown out of call"), ("faults_python", 1, "raised out of call")):
            with self.subTest(function):
                results = self.run_batch(function, "ok", "ok", "'ok' escape")
                self.check_good(results[:3])
                self.check_failed(results[3:], code, text)

    def test_an_exception_where_none_may_be_thrown_is_told_as_its_signal(self):
        results = self.run_batch("faults", "ok", "ok", "ok terminate")
        self.check_good(results[:3])
        self.check_failed(results[3:], 134, "signal 6")

    def test_of_independent_jobs_only_the_one_at_fault_fails(self):
        for what, code, reason in (("segfault", 139, "signal 11"), ("exit3", 3, "code 3")):
            with self.subTest(what):
                results = self.run_batch("faults_independent", "ok", what, "ok")
                # What was done before stands; what had not begun is run in another process.
                self.check_good(results[:4] + results[5:])
                self.check_failed(results[4:5], code, reason)

    def test_an_exception_in_the_scope_of_a_job_fails_that_job_only(self):
        for function, what, text in (("faults", "throw", "thrown in the scope"),
                                     ("faults_python", "raise", "raised in the scope")):
            with self.subTest(function):
                results = self.run_batch(function, "ok", what, "ok")
                self.check_good(results[:4] + results[5:])
                self.check_failed(results[4:5], 1, text)

    def test_a_program_that_dies_fails_its_own_job_only(self):
        for what, code, reason in (("segfault", 139, "signal 11"), ("kill", 137, "signal 9")):
            with self.subTest(what):
                results = self.run_batch("faults_program", "ok", what, "ok")
                self.check_good(results[:4] + results[5:])
                self.check_failed(results[4:5], code, reason)
        # A program's own code is the job's: there is nothing to explain.
        self.assertEqual([result["exitCode"] for result in self.run_batch("faults_program", "exit3")], [0, 0, 0, 3])

    def test_a_script_that_closes_every_descriptor_harms_nobody_else(self):
        for function in ("faults", "faults_python", "faults_program"):
            with self.subTest(function):
                results = self.run_batch(function, "ok", "close", "ok")
                self.check_good(results[:3])
                for result in results[3:]:
                    # Whatever became of the rest of its subset, nothing is taken for done that was not told.
                    self.assertTrue(result["stdout"].startswith("done") or result["stderr"] or
                                    function == "faults_program" and result["exitCode"] == 0, result)
                self.check_good(self.run_batch(function, "ok"))

    def test_what_a_process_prints_is_kept_by_job_and_apart_from_the_output(self):
        for function in ("faults", "faults_python"):
            with self.subTest(function):
                tasks = tasks_of(*(task("print") for _ in range(20)))
                batch = self.controller.submit(function, tasks)
                self.controller.wait([batch])
                for task_id, result in batch.results().items():
                    self.assertEqual((result["stdout"], result["stderr"]), ("done print\n", ""))
                    row = self.record.row(task_id)
                    self.assertEqual(as_bytes(row["stdOut"]), b"done print\n")
                    self.assertEqual(as_bytes(row["processOut"]).decode(), f"printed by {task_id}")
                    self.assertEqual(as_bytes(row["processError"]).decode(), f"complained by {task_id}")

    def test_what_a_started_program_prints_belongs_to_the_job(self):
        (task_id,) = tasks = tasks_of(task("subprocess"))
        batch = self.controller.submit("faults_python", tasks)
        self.controller.wait([batch])
        self.check_good([batch.result()], "subprocess")
        self.assertEqual(as_bytes(self.record.row(task_id)["processOut"]).decode(), f"printed by {task_id}")

    def test_megabytes_on_stdout_block_nobody(self):
        for function in ("faults", "faults_python"):
            with self.subTest(function):
                tasks = tasks_of(*(task(what) for what in ("flood", "ok", "flood", "print")))
                batch = self.controller.submit(function, tasks)
                self.controller.wait([batch])
                flood, _, _, last = tasks
                self.assertEqual([result["stdout"] for result in batch.results().values()],
                                 ["done flood\n", "done ok\n", "done flood\n", "done print\n"])
                self.assertEqual(as_bytes(self.record.row(flood)["processOut"]), b"x" * (4 << 20))
                self.assertEqual(as_bytes(self.record.row(last)["processOut"]).decode(), f"printed by {last}")

    def test_megabytes_from_a_program_are_its_output(self):
        results = self.run_batch("faults_program", "flood", "ok")
        self.check_good(results[:3] + results[4:])
        self.assertEqual(results[3]["stdout"], "x" * (4 << 20) + "done flood\n")

    def test_bytes_that_are_no_text_are_replaced_on_the_wire_and_kept_in_the_record(self):
        native = bytes(i * 7 % 256 for i in range(4096))
        python = bytes(range(256)) * 16
        for function, printed, output in (("faults", native, native + b"done garbage\n"),
                                          ("faults_python", python, b"done garbage\n")):
            with self.subTest(function):
                (task_id,) = tasks = tasks_of(task("garbage"))
                batch = self.controller.submit(function, tasks)
                self.controller.wait([batch])
                self.assertEqual(batch.result()["stdout"], output.decode("utf-8", "replace"))
                row = self.record.row(task_id)
                self.assertEqual(as_bytes(row["stdOut"]), output)
                self.assertEqual(as_bytes(row["processOut"]), printed)
                self.assertEqual(as_bytes(row["processError"]), printed)

    def test_every_subset_starts_from_the_module_as_it_was_loaded(self):
        for _ in range(3):
            (result,) = self.controller.run("faults_python", task("mutate"))
            self.assertEqual(result["stdout"], "1\n")

    def test_crashes_in_many_batches_at_once_leave_the_others_alone(self):
        good = [self.controller.submit("faults_python", tasks_of(*(task("ok") for _ in range(50)))) for _ in range(10)]
        bad = [self.controller.submit(function, tasks_of(task("kill"), task("ok")))
               for function in ("faults", "faults_python", "faults_program") for _ in range(10)]
        self.controller.wait(good + bad)
        for batch in good:
            self.check_good(batch.results().values())
        for batch in bad:
            killed, other = batch.results().values()
            self.check_failed([killed], 137, "signal 9")
            self.check_good([other])
