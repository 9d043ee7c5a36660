"""quire doctor: every finding provoked for real, and a site that is well."""

import json
import os
import sqlite3
import subprocess

from support.controller import task, tasks_of
from support.job_server import JobServer
from support.scenario import Scenario


class TestDoctor(Scenario):
    def examine(self, *words, worker=None, **settings):
        """({check: [(level, sentence)]}, exit status)"""
        done = (worker or self.worker).quire("doctor", "--json", *words, **settings)
        findings = {}
        for line in done.stdout.splitlines():
            finding = json.loads(line)
            findings.setdefault(finding["check"], []).append((finding["level"], finding["sentence"]))
        self.assertEqual(done.stderr, "")
        return findings, done.returncode

    def check(self, findings, check, level, *parts):
        """One finding of this check is of this level and says this."""
        self.assertTrue(any(each == level and all(part in sentence for part in parts) for each, sentence in findings[check]),
                        findings[check])

    def test_a_site_that_is_well(self):
        self.server.stop()
        self.server = JobServer(self.folder, queue=os.path.join(self.folder, "queue.sqlite"), options=["--job-retries=3"])
        self.addCleanup(self.server.stop)
        self.start_worker({"mix_native": "mix_native", "mix_python": "mix_python"})
        self.controller.run("mix_native", task("one x 0"))
        self.assertIn(f"`quire scripts check --config {self.worker.config}` tells before which of them cannot be",
                      self.worker.log_text())
        # Whether the clock of this machine is synchronised is not ours to say.
        findings, code = self.examine("--without", "clock")
        self.assertEqual({level for each in findings.values() for level, _ in each}, {"ok"}, findings)
        self.assertEqual(code, 0)
        self.assertEqual(list(findings), ["workers", "server", "listening", "queue", "retries", "functions", "sites",
                                          "modules", "record", "database", "disk", "limits"])
        table = self.worker.quire("doctor", "--without", "clock").stdout
        self.assertEqual(table.splitlines()[0], f"Configuration: {self.worker.config}; "
                         f"state directory {self.worker.settings['state_directory']}, job servers {self.server.address}.")
        other = self.worker.quire("doctor", "--without", "clock", record=self.folder + "/other").stdout
        self.assertIn(f"{self.worker.config}; given: --record {self.folder}/other; state", other.splitlines()[0])
        self.assertIn("ok        queue      Queues are kept on disk.\n", table)

    def test_what_is_wrong_with_a_job_server(self):
        self.start_worker({"mix_native": "mix_native"})
        findings, code = self.examine("--without", "clock,limits")
        self.check(findings, "queue", "warning", "keeps its queue in memory", "--queue-type=libsqlite3")
        self.check(findings, "retries", "warning", "without limit", "--job-retries=5", "/etc/gearmand.conf")
        self.check(findings, "listening", "ok", "No job server of this host")
        self.assertEqual(code, 1)

        self.controller.wait([self.controller.submit("mix_nativ", tasks_of(task()), background=True)])
        findings, code = self.examine("--without", "clock,limits")
        self.check(findings, "functions", "critical", "No Gearman worker available that can handle the job",
                   "1 job waits", "mix_nativ", "Did you mean mix_native?",
                   f"`gearadmin --host=127.0.0.1 --port={self.server.port} --show-jobs`")
        self.assertEqual(code, 2)

        self.server.kill()
        findings, code = self.examine()
        self.check(findings, "server", "critical", self.server.address, "Start gearmand")
        self.check(findings, "workers", "critical", "has no connection")
        self.check(findings, "queue", "ok", "cannot be told")
        self.assertEqual(code, 2)

    def test_no_worker_serves_the_table(self):
        worker = self.make_worker({"mix_native": "mix_native"})
        findings, code = self.examine("--without", "clock,limits,queue,retries", worker=worker)
        self.check(findings, "workers", "warning", "quire worker")
        self.check(findings, "functions", "warning", "No Gearman worker available that can handle the job", "mix_native")
        self.assertEqual(code, 1)

    def test_two_sites_with_one_key(self):
        one = self.start_worker({"mix_native": "mix_native"})
        two = self.start_worker({"mix_native": "mix_native", "mix_python": "mix_python"})
        findings, code = self.examine("--without", "clock")
        self.check(findings, "sites", "critical", f":{two.pid}", two.settings["record"], "mix_native", "workers_key")
        self.assertEqual(code, 2)
        # Workers that share a record are one site.
        findings, _ = self.examine("--without", "clock", record=two.settings["record"])
        self.check(findings, "sites", "ok", "No worker of another site")
        one.stop()

    def test_modules_that_do_not_load(self):
        worker = self.make_worker({"broken": "broken", "missing": "missing", "mix_native": "mix_native"})
        with open(os.path.join(worker.scripts, "broken.py"), "w", encoding="utf-8") as script:
            script.write("import no_such_thing\n")
        findings, code = self.examine("--without", "clock", worker=worker)
        self.check(findings, "modules", "critical", "broken", f"`quire scripts check --config {worker.config} broken`")
        self.check(findings, "modules", "critical", "missing")
        self.assertEqual(len(findings["modules"]), 2)
        self.assertEqual(code, 2)

    def test_a_record_that_cannot_be_written(self):
        worker = self.make_worker({"mix_native": "mix_native"})
        with open(worker.settings["record"], "w", encoding="utf-8") as record:
            record.write("A letter to the archivist. " * 1000)
        worker.start()
        self.wait_for_functions(worker, ["mix_native"])
        findings, code = self.examine("--without", "clock")
        self.check(findings, "record", "critical", f":{worker.pid}", "cannot write its record")
        self.check(findings, "record", "critical", worker.settings["record"], "cannot be written")
        self.assertEqual(code, 2)

    def test_limits_that_are_too_low(self):
        worker = self.make_worker({"mix_native": "mix_native"}, {"workers": "40"})
        worker.start(through=("prlimit", "--nofile=200:200"))
        self.wait_for_functions(worker, ["mix_native"])
        findings, _ = self.examine("--without", "clock")
        self.check(findings, "limits", "warning", "Open files are limited to 200", "LimitNOFILE=")

    def test_limits_of_processes_bind_those_who_are_not_root(self):
        worker = self.make_worker({"mix_native": "mix_native"})
        worker.start(through=("prlimit", "--nproc=70:70"))
        self.wait_for_functions(worker, ["mix_native"])
        findings, _ = self.examine("--without", "clock")
        if os.geteuid() == 0:
            self.check(findings, "limits", "ok", "suffice")
        else:
            self.check(findings, "limits", "warning", "Processes are limited to 70", "LimitNPROC=")

    def test_a_disk_that_is_nearly_full(self):
        worker = self.make_worker({"mix_native": "mix_native"}, {"record": "/proc/record.sqlite"})
        findings, code = self.examine("--without", "clock", worker=worker)
        self.check(findings, "disk", "critical", "The disk with the record has 0 MiB left in /proc")
        self.assertEqual(code, 2)

    def test_a_clock_that_runs_ahead(self):
        self.start_worker({"mix_native": "mix_native"})
        self.controller.run("mix_native", task("one x 0"))
        with sqlite3.connect(self.worker.settings["record"], timeout=60) as record:
            record.execute("UPDATE Batches SET endTime = '2999-01-01 00:00:00.000000'")
        record.close()
        findings, code = self.examine()
        self.check(findings, "clock", "critical", "2999-01-01", "chrony")
        self.assertEqual(code, 2)

    # It once ended with "filesystem error", or told to restart the worker.
    def test_who_may_not_look_is_told_who_may(self):
        worker = self.start_worker({"mix_native": "mix_native"})
        state = worker.settings["state_directory"]
        through = []
        if os.geteuid() == 0:
            os.chown(state, 65534, 65534)
            through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
                       "--inh-caps=-dac_override,-dac_read_search"]
        os.chmod(state, 0o700 if through else 0)
        self.addCleanup(os.chmod, state, 0o700)

        def run(*words):
            return subprocess.run([*through, *worker.quire_command(*words, record=os.path.join(state, "record.sqlite"))],
                                  capture_output=True, text=True, timeout=60, check=False, env=worker.environment)

        doctor = run("doctor", "--without", "clock,modules")
        self.assertEqual((doctor.returncode, doctor.stderr), (2, ""))
        self.assertIn("cannot be looked at: Permission denied. Ask as root or as the user of the workers.", doctor.stdout)
        self.assertIn("this user may not look there (Permission denied)", doctor.stdout)
        self.assertNotIn("estart it", doctor.stdout)
        tasks = run("tasks", "list")
        self.assertEqual(tasks.returncode, 69)
        self.assertIn("ask as root or as the user of the workers", tasks.stderr)

    def test_checks_can_be_left_out_by_their_names_only(self):
        worker = self.make_worker({"mix_native": "mix_native"})
        done = worker.quire("doctor", "--without", "clok")
        self.assertEqual(done.returncode, 64)
        self.assertIn("Did you mean clock?", done.stderr)
