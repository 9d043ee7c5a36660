"""Trust: what runs, as whom, and with what in its hands."""

import os
import pwd

from ledger import FOLDERS
from other_user import NAME, ROOT, prepare
from support.controller import task
from support.scenario import Scenario


class TestTrust(Scenario):
    def told(self, function="whoami_python"):
        """What a script sees of itself."""
        (result,) = self.controller.run(function, task())
        self.assertEqual(result["exitCode"], 0, result)
        return dict(line.split("=", 1) for line in result["stdout"].splitlines())

    def test_user_is_changed_to_for_good(self):
        worker = self.make_worker({"whoami_python": "whoami_python"}, {"user": NAME})
        if not ROOT:
            worker.start()
            self.assertEqual(worker.wait(), 78)
            self.assertIn("only root can change", worker.log_text())
            return
        daemon = pwd.getpwnam(NAME)
        prepare(self, worker, os.path.join(FOLDERS[0], "whoami_python.py"))
        worker.start()
        self.wait_for_functions(worker, ["whoami_python"])
        told = self.told()
        self.assertEqual(told["uid"], str([daemon.pw_uid] * 3))
        self.assertNotIn("0", told["groups"].strip("[]").split(", "))
        with open(f"/proc/{worker.pid}/status", encoding="utf-8") as status:
            self.assertIn(f"Uid:\t{daemon.pw_uid}\t{daemon.pw_uid}\t{daemon.pw_uid}\t{daemon.pw_uid}\n", status.read())

    def test_a_script_gains_no_privileges_and_has_no_descriptors_and_no_others_environment(self):
        worker = self.make_worker({"whoami_python": "whoami_python"}, folders=FOLDERS)
        worker.environment["SECRET"] = "nobody's business"
        worker.start()
        self.wait_for_functions(worker, ["whoami_python"])
        told = self.told()
        self.assertEqual(told["NoNewPrivs"], "1")
        # What a program finds that the script starts; 3 is the folder that it reads.
        self.assertEqual(told["descriptors"], "0 1 2 3")
        self.assertNotIn("SECRET", told["environment"])
        self.assertIn("PATH", told["environment"].split())

    def test_it_may_be_allowed_to(self):
        self.start_worker({"whoami_python": "whoami_python"}, {"no_new_privileges": "no"}, folders=FOLDERS)
        with open("/proc/self/status", encoding="utf-8") as status:
            ours = next(line.split()[1] for line in status if line.startswith("NoNewPrivs:"))
        self.assertEqual(self.told()["NoNewPrivs"], ours)

    def test_what_everybody_may_write_is_not_run_as_root(self):
        worker = self.make_worker({"open": "open", "safe": "safe"})
        for name, mode in (("open", 0o666), ("safe", 0o644)):
            path = os.path.join(worker.scripts, f"{name}.py")
            with open(path, "w", encoding="utf-8") as script:
                script.write("def call(jobs):\n    for job in jobs:\n        with job.JobContext():\n            pass\n")
            os.chmod(path, mode)
        worker.start()
        self.wait_for_functions(worker, ["open", "safe"])
        (result,) = self.controller.run("open", task())
        if ROOT:
            self.assertEqual(result["exitCode"], 1)
            self.assertIn("chmod o-w", result["stderr"])
        else:
            self.assertEqual(result["exitCode"], 0)
        self.assertEqual(self.controller.run("safe", task())[0]["exitCode"], 0)

    def test_a_module_name_cannot_leave_the_folders(self):
        for name in ("../secret", "/bin/true", "scripts/whoami", "..", "."):
            with self.subTest(name):
                worker = self.make_worker({"words": "words", "escape": name}).start()
                self.assertEqual(worker.wait(), 78)
                self.assertIn(f'client_modules.conf:3: "{name}" cannot be the name', worker.log_text())

    def test_nothing_of_a_task_reaches_a_shell(self):
        self.start_worker({"whoami_program": "whoami_program"}, folders=FOLDERS)
        mark = os.path.join(self.folder, "mark")
        (result,) = self.controller.run("whoami_program", task(f"'; touch {mark}; $(touch {mark})' `touch` '|' x"))
        self.assertEqual(result["exitCode"], 0)
        self.assertEqual(result["stdout"], f"; touch {mark}; $(touch {mark})\n`touch`\n|\nx\n")
        self.assertFalse(os.path.exists(mark))
