"""quire tasks and quire status: what an administrator sees of a real worker, and what it lets him do."""

import csv
import io
import json
import os
import signal
import subprocess

from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until

CANCELLED = 130


class TestTasks(Scenario):
    def start(self, *functions, **settings):
        self.start_worker({name: name for name in functions}, {"grace_period": "60", **settings})
        self.the_gate = self.gate()

    def gated(self, function, count=1, word=""):
        return self.controller.submit(function, tasks_of(*(task(f"'{self.the_gate.path}' {word}") for _ in range(count))))

    def run_tasks(self, *arguments, function="mix_native"):
        batch = self.controller.submit(function, tasks_of(*(task(text) for text in arguments)))
        self.controller.wait([batch])
        return list(batch.tasks)

    def quire(self, *words, code=0, **settings):
        """(what it printed, what it complained)"""
        done = self.worker.quire(*words, **settings)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def listed(self, *words):
        """[the tasks of `tasks list`, as its JSON lines have them]"""
        return [json.loads(line) for line in self.quire("tasks", "list", "--format", "json", *words)[0].splitlines()]

    def ids(self, *words):
        return sorted(one["id"] for one in self.listed(*words))

    def state(self, task_id):
        return json.loads(self.quire("tasks", "show", "--json", task_id)[0])["state"]

    # ---- list, show, export, watch ----

    def test_tasks_are_listed_by_all_that_is_known_of_them(self):
        self.start("mix_native", "gated")
        good, bad = self.run_tasks("one x 0", "two x 3")
        running = self.gated("gated")
        self.the_gate.wait_for(1)
        (third,) = running.tasks
        self.assertEqual(self.ids(), sorted([good, bad, third]))
        self.assertEqual(self.ids("--state", "failed"), [bad])
        self.assertEqual(self.ids("--state", "running,done"), sorted([good, third]))
        self.assertEqual(self.ids("--function", "GATED"), [third])
        self.assertEqual(self.ids("--text", "TWO"), [bad])
        self.assertEqual(self.ids("--host", os.uname().nodename), sorted([good, bad, third]))
        self.assertEqual(self.ids("--host", f"{os.uname().nodename}:1"), [])
        self.assertEqual(self.ids("--since", "1h", "--until", "0s"), sorted([good, bad, third]))
        self.assertEqual(self.ids("--until", "1h"), [])
        (one,) = self.listed("--text", bad)
        self.assertEqual((one["state"], one["exit_code"], one["arguments"]), ("failed", 3, "two x 3"))
        self.assertEqual(self.ids("--batch", str(one["batch"])), sorted([good, bad]))
        self.assertEqual(len(self.listed("--limit", "2")), 2)

        table = self.quire("tasks", "list")[0]
        self.assertRegex(table.splitlines()[0], r"^STATE +BEGUN \(UTC\) +TASK +EXIT +FUNCTION +ARGUMENTS$")
        self.assertRegex(table, rf"\nfailed +20\S+ \S+ +{bad} +3 +mix_native +two x 3\n")
        shown = self.quire("tasks", "show", bad)[0]
        for part in (bad, "failed", "two x 3", f"error of {bad}", f":{self.worker.pid}"):
            self.assertIn(part, shown)
        self.the_gate.open()
        self.controller.wait([running])

    def test_what_is_not_found_says_what_to_do(self):
        self.start("mix_native")
        self.assertIn("quire submit", self.quire("tasks", "list")[1])
        (task_id,) = self.run_tasks("one x 0")
        self.assertIn("Did you mean mix_native?", self.quire("tasks", "list", "--function", "mix_nativ")[1])
        self.assertIn("leave out a filter", self.quire("tasks", "list", "--state", "lost")[1])
        self.assertIn("Did you mean failed?", self.quire("tasks", "list", "--state", "faild", code=64)[1])
        self.assertIn("No time is after --since 1h and before --until 2h",
                      self.quire("tasks", "list", "--since", "1h", "--until", "2h", code=64)[1])
        self.assertIn("--since yesterday", self.quire("tasks", "list", "--since", "yesterday", code=64)[1])
        self.assertIn("Did you mean list?", self.quire("tasks", "lst", code=64)[1])
        self.assertIn("has no task nobody", self.quire("tasks", "show", "nobody", code=1)[1])
        self.assertIn("There is no record", self.quire("tasks", "list", record="/nowhere/record", code=69)[1])
        self.assertIn("ended already: done with exit code 0", self.quire("tasks", "cancel", task_id, code=1)[0])
        self.assertIn("may still wait at the job server", self.quire("tasks", "cancel", "nobody", code=1)[0])
        self.worker.stop()
        self.assertIn("No worker runs on this host", self.quire("tasks", "cancel", task_id, code=1)[1])
        self.assertIn("1 task deleted", self.quire("tasks", "clear", "--all")[0])
        self.assertIn("has no tasks: send one", self.quire("tasks", "list")[1])

    def test_no_cell_of_an_export_is_a_formula(self):
        self.start("mix_native")
        dangerous = ['"=1+1" x 0', '"+1" x 0', '"-2+3" x 3', '"@SUM(A1)" x 0', "'=cmd|\"/c calc\"!A1' x 3", "a,b x 0"]
        self.run_tasks(*dangerous, *(text.replace('"', "'") for text in dangerous[:2]), "=HYPERLINK() x 0", "-1 x 3")
        for options, columns in (((), 6), (("--all-columns",), 19)):
            rows = list(csv.reader(io.StringIO(self.quire("tasks", "export", *options)[0])))
            self.assertEqual(len(rows), 11)
            for row in rows:
                self.assertEqual(len(row), columns)
                for cell in row:
                    self.assertNotRegex(cell, r"^\s*[=+@-]|^[\t\r\n]")
        self.assertEqual(rows[0][:3], ["id", "state", "function"])
        text = self.quire("tasks", "export")[0]
        self.assertTrue(text.startswith("startDate,endDate,jobName,jobStatus,jobInfo,jobUser\n"))
        self.assertIn("'=HYPERLINK()", text)
        path = os.path.join(self.folder, "export.csv")
        self.assertEqual(self.quire("tasks", "export", "--state", "failed", "--output", path)[0], "3 tasks written.\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(list(csv.reader(file))), 4)

    def test_watching_tells_of_every_change_until_it_is_interrupted(self):
        self.start("mix_native", "gated")
        running = self.gated("gated")
        self.the_gate.wait_for(1)
        (task_id,) = running.tasks
        path = os.path.join(self.folder, "watch.txt")

        def told(state):
            with open(path, encoding="utf-8") as file:
                return any(line.startswith(state) and task_id in line for line in file)

        with open(path, "w", encoding="utf-8") as output:
            watch = subprocess.Popen(self.worker.quire_command("tasks", "watch", "--interval", "0.1"), stdout=output,
                                     cwd=self.folder, env=self.worker.environment)
        wait_until(lambda: told("running"), "the task to be told as running")
        self.the_gate.open()
        wait_until(lambda: told("done"), "the task to be told as done")
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(60), 0)

    def test_what_has_ended_is_cleared_by_what_is_said_and_exported_first(self):
        self.start("mix_native", "gated")
        good, bad = self.run_tasks("one x 0", "two x 3")
        running = self.gated("gated")
        self.the_gate.wait_for(1)
        (third,) = running.tasks
        self.assertIn("--all deletes everything", self.quire("tasks", "clear", code=64)[1])
        self.assertIn("0 tasks deleted", self.quire("tasks", "clear", "--before", "1d")[0])
        path = os.path.join(self.folder, "before.csv")
        output = self.quire("tasks", "clear", "--state", "failed", "--export", path)[0]
        self.assertIn("1 task written", output)
        self.assertIn("1 task deleted", output)
        with open(path, encoding="utf-8") as file:
            self.assertEqual([row["id"] for row in csv.DictReader(file)], [bad])
        self.assertEqual(self.ids(), sorted([good, third]))
        # Nobody has these any more but this file.
        self.assertIn("not overwritten", self.quire("tasks", "clear", "--all", "--export", path, code=64)[1])
        self.assertEqual(self.ids(), sorted([good, third]))
        self.assertIn("1 task deleted", self.quire("tasks", "clear", "--all")[0])
        self.assertEqual(self.ids(), [third])
        self.assertIn("--state runing", self.quire("tasks", "clear", "--state", "runing", code=64)[1])
        self.the_gate.open()
        self.controller.wait([running])
        self.assertEqual(self.ids("--state", "done"), [third])

    # ---- cancel and retry ----

    def test_cancel_a_task_that_waits_and_one_that_runs(self):
        self.start("gated", "gated_independent", max_processes="1")
        running = self.gated("gated_independent", 2)
        self.the_gate.wait_for(1)
        waiting = self.gated("gated", 2)
        wait_until(lambda: len(self.ids("--state", "queued")) == 3, "the second batch to be in hand")
        (runs,) = self.ids("--state", "running")
        kept = list(waiting.tasks)[0]
        output = self.quire("tasks", "cancel", kept, runs)[0]
        self.assertIn(f"{kept}: cancelled; it had not begun.", output)
        self.assertIn(f"{runs}: cancelled.", output)
        self.the_gate.open()
        self.controller.wait([running, waiting])
        codes = {task_id: result["exitCode"] for batch in (running, waiting) for task_id, result in batch.results().items()}
        self.assertEqual(sorted(codes.values()), [0, 0, CANCELLED, CANCELLED])
        self.assertEqual({codes[kept], codes[runs]}, {CANCELLED})
        self.assertIn(f"task {kept} is cancelled on request before it has begun\n", self.worker.log_text())
        self.assertIn(f"task {runs} is being ended on request\n", self.worker.log_text())
        self.assertRegex(self.worker.log_text(), rf"\(pid \d+\) did not end well: it ended by signal 15 "
                         rf"\(Terminated\)\. It was ended since task {runs} was cancelled\. Its tasks: ")
        self.assertRegex(self.worker.log_text(), rf"2 tasks, 0 failed, 1 cancelled \({kept}\),")
        self.assertNotIn("--subset", self.worker.log_text())
        self.assertEqual(self.ids("--state", "cancelled"), sorted([kept, runs]))
        self.assertIn("not cancelled", self.quire("tasks", "cancel", kept, code=1)[0])

    def test_a_cancelled_one_is_told_to_be_while_its_batch_goes_on(self):
        self.start("gated_independent", max_processes="1")
        batch = self.gated("gated_independent", 3)
        self.the_gate.wait_for(1)
        (runs,) = wait_until(lambda: self.ids("--state", "running"), "one to run")
        never, goes_on = [each for each in batch.tasks if each != runs]
        self.quire("tasks", "cancel", "--no-wait", never)
        self.assertEqual(self.ids("--state", "cancelled"), [never])
        self.assertIn("It never begins.", self.quire("tasks", "show", never)[0])
        self.quire("tasks", "cancel", runs)
        wait_until(lambda: self.ids("--state", "cancelled") == sorted([never, runs]), "both to be told as cancelled")
        self.assertNotIn(runs, self.ids("--state", "running,queued"))
        shown = json.loads(self.quire("tasks", "show", "--json", runs)[0])
        self.assertEqual((shown["state"], shown["reported_exit_code"], shown["ended"]), ("cancelled", CANCELLED, None))
        self.assertIn("on record when its batch has ended", self.quire("tasks", "show", runs)[0])
        self.the_gate.open()
        self.controller.wait([batch])
        self.assertEqual(self.ids("--state", "cancelled"), sorted([never, runs]))
        self.assertEqual(self.ids("--state", "done"), [goes_on])

    def test_what_a_task_had_written_is_not_lost_when_it_is_ended(self):
        functions = ("gate", "gate_independent", "gated", "gated_independent")
        self.start(*functions, time_limit="0")
        for function in functions:
            with self.subTest(function):
                batch = self.gated(function)
                (task_id,) = batch.tasks
                wait_until(lambda: task_id in self.the_gate.arrived(), "the task to come to the gate")
                self.quire("tasks", "cancel", task_id)
                self.controller.wait([batch])
                result = batch.results()[task_id]
                self.assertEqual((result["exitCode"], result["stdout"]), (CANCELLED, "through "))
                self.assertIn("was cancelled while it ran", result["stderr"])
                self.assertRegex(self.worker.log_text(), rf"{function}: a subset of 1 task \(pid \d+\) did not end well: .* "
                                 rf"It was ended since task {task_id} was cancelled\. Its task: {task_id}\n")
                self.assertEqual(json.loads(self.quire("tasks", "show", "--json", task_id)[0])["stdout"], "through ")
        self.worker.settings["time_limit"] = "1"
        self.worker.write_config()
        self.worker.signal(signal.SIGHUP)
        wait_until(lambda: "HUP: new settings" in self.worker.log_text(), "the worker to read its settings")
        for function in functions:
            with self.subTest(function):
                result = self.controller.run(function, task(f"'{self.the_gate.path}'"))[0]
                self.assertEqual((result["exitCode"], result["stdout"]), (128 + signal.SIGTERM, "through "))
                self.assertIn("time_limit = 1", result["stderr"])

    def test_one_that_has_ended_beside_one_that_runs_is_told_apart(self):
        self.start("gate")
        batch = self.controller.submit("gate", tasks_of(task(f"'{self.the_gate.path}' quick"), task(f"'{self.the_gate.path}'")))
        ended, runs = batch.tasks
        self.the_gate.wait_for(2)
        shown = wait_until(lambda: next((one for one in self.listed("--state", "running")
                                         if one["id"] == ended and one["reported_end"]), None), "its end to be known")
        self.assertEqual((shown["state"], shown["reported_exit_code"], shown["ended"]), ("running", 0, None))
        (other,) = (one for one in self.listed() if one["id"] == runs)
        self.assertIsNone(other["reported_end"])
        # They run one after the other, and begin so.
        self.assertLessEqual(shown["begun"], shown["reported_end"])
        self.assertEqual(other["begun"], shown["reported_end"])
        self.assertRegex(self.quire("tasks", "list")[0], rf"\nrunning +\S+ \S+ +{ended} +\(0\) +gate")
        self.assertRegex(self.quire("tasks", "show", ended)[0],
                         r"\nhas ended +\S+ \S+ UTC with exit code 0\. That counts if its process ends well\.\n")
        self.the_gate.open()
        self.controller.wait([batch])
        self.assertEqual(self.ids("--state", "done"), sorted([ended, runs]))

    def test_cancel_names_those_that_share_the_process(self):
        self.start("gate")
        batch = self.gated("gate", 1, "quick")
        self.controller.wait([batch])
        batch = self.controller.submit("gate", tasks_of(task(f"'{self.the_gate.path}' quick"), task(f"'{self.the_gate.path}'")))
        done, runs = batch.tasks
        self.the_gate.wait_for(3)
        output = self.quire("tasks", "cancel", runs, code=1)[0]
        self.assertIn(f"\n  {done}\n", output)
        self.assertIn(f"`quire tasks cancel --config {self.worker.config} --subset {runs}`", output)
        self.assertIn("and 1 that shared its process", self.quire("tasks", "cancel", "--subset", runs)[0])
        self.controller.wait([batch])
        self.assertEqual(batch.results()[runs]["exitCode"], CANCELLED)
        self.assertNotEqual(batch.results()[done]["exitCode"], 0)

    def test_what_a_killed_worker_had_begun_is_lost_by_itself_and_can_be_tried_anew(self):
        self.start("gated", "mix_native")
        self.run_tasks("one x 0")
        running = self.gated("gated")
        self.the_gate.wait_for(1)
        (task_id,) = running.tasks
        self.assertEqual(self.state(task_id), "running")
        self.assertIn("it is running", self.quire("tasks", "retry", task_id, code=1)[0])
        self.assertEqual(self.ids("--state", "lost"), [])
        self._controllers[0].close()  # or the job server would deliver it again
        self._controllers.clear()
        self.worker.signal(signal.SIGKILL)
        self.worker.wait()
        wait_until(lambda: self.state(task_id) == "lost", "the task to be lost")
        self.assertIn("it is lost", self.quire("tasks", "cancel", task_id, code=1)[0])

        self.assertIn("No worker offers gated", self.quire("tasks", "retry", task_id)[1])
        self.the_gate.open()
        self.worker.start()
        wait_until(lambda: len(self.ids("--function", "gated", "--state", "done")) == 1, "the new task to be done")
        (fresh,) = self.ids("--function", "gated", "--state", "done")
        self.assertNotEqual(fresh, task_id)
        output = self.quire("tasks", "retry", fresh)[0]
        self.assertIn(f"{fresh}: submitted as ", output)
        wait_until(lambda: len(self.ids("--function", "gated", "--state", "done")) == 2, "the third one to be done")
        self.server.kill()
        self.assertIn("cannot be reached", self.quire("tasks", "retry", fresh, code=69)[1])

    # ---- status ----

    def test_status_tells_of_workers_and_queues(self):
        self.start("gated", "mix_native", max_processes="1")
        running = self.gated("gated", 2)
        self.the_gate.wait_for(1)
        self.controller.wait_for_handles([self.controller.submit("nobody", tasks_of(task()), background=True)])
        text = self.quire("status")[0]
        for part in (f":{self.worker.pid}, quire ", "1 of ", f"job server  {self.server.address}, connected, 1 batch in hand",
                     "0 of 2 tasks ended, 1 running", "nobody", "NOBODY SERVES IT"):
            self.assertIn(part, text)
        status = json.loads(self.quire("status", "--json")[0])
        self.assertEqual(status["workers"][0]["pid"], self.worker.pid)
        functions = {each["function"]: each for each in status["servers"][0]["functions"]}
        self.assertEqual(functions["gated"]["running"], 1)
        self.assertEqual((functions["nobody"]["waiting"], functions["nobody"]["connections"]), (1, 0))
        self.the_gate.open()
        self.controller.wait([running])
        # Those without jobs are counted only.
        self.assertNotIn("mix_native", text)
        self.assertIn("… and 1 function without jobs (--all)", text)
        self.assertIn("mix_native", self.quire("status", "--all")[0])
        self.assertIn(f"start one with `quire worker --config {self.worker.config} --state-directory {self.folder}`",
                      self.quire("status", state_directory=self.folder, code=1)[0])
        self.server.kill()
        self.assertIn("cannot be asked", self.quire("status", code=1)[0])
