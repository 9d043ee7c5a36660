"""Scripts that are missing or cannot be loaded stay registered, say why, and work once they are put right."""

import os

from support.controller import task
from support.scenario import Scenario

GOOD = """
def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.print_output("works")
"""
BROKEN = {
    "no_import": ("import there_is_no_such_module\n", "there_is_no_such_module"),
    "no_syntax": ("def call(jobs:\n", "SyntaxError"),
    "no_call": ("def cal(jobs):\n    pass\n", "call"),
    "exits": ("import sys\nsys.exit(5)\n", "SystemExit"),
    "bad_instances": (GOOD + "def concurrent_instances():\n    return 0\n", "concurrent_instances"),
}


class TestMissing(Scenario):
    def write(self, name, text, executable=False):
        path = os.path.join(self.worker.scripts, name)
        # Put in place in one step, as an installation does.
        with open(path + ".new", "w", encoding="utf-8") as script:
            script.write(text)
        os.chmod(path + ".new", 0o755 if executable else 0o644)
        os.rename(path + ".new", path)

    def check_failed(self, function, reason):
        for result in self.controller.run(function, task(), task(), task(wants_output=True)):
            self.assertEqual(result["exitCode"], 1)
            self.assertRegex(result["stderr"], reason)

    def check_works(self, function):
        (result,) = self.controller.run(function, task())
        self.assertEqual((result["exitCode"], result["stdout"]), (0, "works\n"), result)

    def test_a_missing_script_is_answered_and_works_when_it_appears(self):
        self.start_worker({"late_v1.0": "late", "late_program": "late_program"})
        self.check_failed("late_v1.0", "late")
        self.check_failed("late_program", self.worker.scripts)
        self.write("late.py", GOOD)
        self.write("late_program", "#!/bin/sh\necho works\n", executable=True)
        self.check_works("late_v1.0")
        self.check_works("late_program")

    def test_a_script_that_cannot_be_loaded_says_why_and_works_when_it_is_mended(self):
        self.start_worker({name: name for name in BROKEN})
        for name, (text, _) in BROKEN.items():
            self.write(f"{name}.py", text)
        for name, (_, reason) in BROKEN.items():
            with self.subTest(name):
                self.check_failed(name, reason)
                self.write(f"{name}.py", GOOD)
                self.check_works(name)

    def test_two_files_for_one_name_are_both_named(self):
        self.start_worker({"twice": "twice"})
        self.write("twice.py", GOOD)
        self.write("twice", "#!/bin/sh\necho works\n", executable=True)
        self.check_failed("twice", r"(?s)scripts/twice\.py.*scripts/twice\b(?!\.)|scripts/twice\b(?!\.).*scripts/twice\.py")
        os.unlink(os.path.join(self.worker.scripts, "twice"))
        self.check_works("twice")

    def test_a_native_module_that_is_no_module_says_so(self):
        self.start_worker({"fake": "fake"})
        self.write("fake.so", "this is not a shared object")
        self.check_failed("fake", "fake.so")

    def test_a_program_that_may_not_be_executed_says_so(self):
        self.start_worker({"plain": "plain"})
        self.write("plain", "#!/bin/sh\necho works\n")
        self.check_failed("plain", "plain")
        os.chmod(os.path.join(self.worker.scripts, "plain"), 0o755)
        self.check_works("plain")

    def test_a_script_that_changes_is_loaded_anew(self):
        self.start_worker({"changing": "changing"})
        self.write("changing.py", GOOD.replace("works", "first"))
        self.assertEqual(self.controller.run("changing", task())[0]["stdout"], "first\n")
        self.write("changing.py", GOOD)
        self.check_works("changing")

    def test_a_name_that_leads_out_of_the_folders_is_refused_at_the_start(self):
        worker = self.make_worker({"good": "good", "outside": "../client_modules.conf"}).start()
        self.assertEqual(worker.wait(), 78)
        self.assertIn(f"{worker.settings['client_modules']}:3: ", worker.log_text())
        self.assertIn("../client_modules.conf", worker.log_text())
