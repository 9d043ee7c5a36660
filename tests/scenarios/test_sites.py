"""Several sites share one job server: each has a key, and none takes another one's work."""

import hashlib
import json
import os
import signal
import subprocess

from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until

MODULES = {"words_v0.0": "words", "exclusive": "exclusive"}


class TestSites(Scenario):
    def site(self, **settings):
        """A worker with these settings that will have connected, whatever its functions are called there."""
        worker = self.make_worker(MODULES, settings).start()
        wait_until(lambda: " offered" in worker.log_text() or not worker.is_running(),
                   "the worker to offer its functions")
        self.assertTrue(worker.is_running(), worker.log_text())
        return worker

    def words(self, function):
        (result,) = self.controller.run(function, task("a b"))
        self.assertEqual(result["exitCode"], 0, result)
        return json.loads(result["stdout"])

    def lines(self, worker, function):
        """The log's sentences about batches of the function."""
        return [line for line in worker.log_text().splitlines() if f" {function}: 1 task" in line]

    def submit(self, worker, *arguments):
        return subprocess.run([worker.program, "submit", "--config", worker.config, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env=worker.environment, check=False)

    def test_each_worker_gets_the_work_of_its_own_site_only(self):
        first, second, third = self.site(workers_key="site1"), self.site(workers_key="site2"), self.site()
        names = {key + name for key in ("site1-", "site2-", "") for name in MODULES}
        wait_until(lambda: {name for name, row in self.server.status().items() if row[2] > 0} == names,
                   "the functions of all three, and no others, to be offered")
        for _ in range(3):
            self.assertEqual(self.words("site1-words_v0.0"), ["words_v0.0", "a", "b"])
        self.assertEqual(self.words("site2-words_v0.0"), ["words_v0.0", "a", "b"])
        self.assertEqual([len(self.lines(worker, "words_v0.0")) for worker in (first, second, third)], [3, 1, 0])

    def test_the_record_has_the_functions_own_name(self):
        self.site(workers_key="site1")
        self.words("site1-words_v0.0")
        self.assertEqual([row["exec"] for row in self.record.rows().values()], ["words_v0.0"])

    def test_work_of_another_site_waits_for_its_worker(self):
        self.site(workers_key="site1")
        batch = self.controller.submit("site2-words_v0.0", {"11111111-1111-4111-8111-111111111111": task("x")})
        self.controller.wait_for_handles([batch])
        self.words("site1-words_v0.0")
        self.assertFalse(batch.done)
        self.site(workers_key="site2")
        self.controller.wait([batch])

    def test_quire_submit_asks_its_own_site(self):
        first, second = self.site(workers_key="site1"), self.site(workers_key="site2")
        run = self.submit(second, "words_v0.0", "--", "a b")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([len(self.lines(worker, "words_v0.0")) for worker in (first, second)], [0, 1])

    def test_quire_status_has_the_functions_own_names(self):
        first = self.site(workers_key="site1")
        self.site(workers_key="site2")
        wait_until(lambda: len(self.server.status()) == 4, "both sites' functions to be offered")
        run = subprocess.run([first.program, "status", "--config", first.config, "--all"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, env=first.environment, check=False)
        names = {line.split("  ")[1].strip() for line in run.stdout.partition("CONNECTIONS\n")[2].splitlines() if line}
        self.assertEqual(names, {"words_v0.0", "exclusive", "site2-words_v0.0 (another site's)",
                                 "site2-exclusive (another site's)"}, run.stdout)

    def test_atoms_form_of_the_key(self):
        root = "/usr/share/nginx/atom"
        self.site(workers_key="two words", workers_key_root=root)
        prefix = hashlib.md5(f"{root}two words".encode()).hexdigest()
        self.assertEqual(self.words(f"{prefix}-words_v0.0")[0], "words_v0.0")

    def test_a_script_that_must_not_run_twice_is_withdrawn_and_offered_again_under_its_key(self):
        self.site(workers_key="site1")
        gate = self.gate()
        batches = [self.controller.submit("site1-exclusive", tasks_of(task(f"{self.touch('lock')} {gate.path}")))
                   for _ in range(3)]
        gate.wait_for(1)
        # Meanwhile the rest goes on over another connection, under the same key.
        self.assertEqual(self.words("site1-words_v0.0")[0], "words_v0.0")
        gate.open()
        self.controller.wait(batches)
        self.assertEqual([batch.names for batch in batches], [["COMPLETE"]] * 3)
        self.assertEqual([batch.result()["exitCode"] for batch in batches], [0] * 3)

    def test_a_reload_brings_another_key(self):
        worker = self.site(workers_key="site1")
        worker.settings["workers_key"] = "site2"
        worker.write_config()
        worker.signal(signal.SIGHUP)
        wait_until(lambda: self.server.is_offered("site2-words_v0.0"), "the new name")
        self.assertEqual(self.words("site2-words_v0.0")[0], "words_v0.0")

    def test_a_worker_starts_with_what_import_config_makes_as_it_is(self):
        worker = self.make_worker({})
        variables = os.path.join(self.folder, "archivematica-mcp-client")
        with open(variables, "w", encoding="utf-8") as file:
            file.write(f"PATH={self.folder}/venv/bin:/usr/bin:/bin\n"
                       "DJANGO_SETTINGS_MODULE=archivematica.MCPClient.settings.common\n"
                       f"ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER={self.server.address}\n"
                       "ARCHIVEMATICA_MCPCLIENT_CLIENT_PASSWORD=topsecret\n")
        worker.config = os.path.join(self.folder, "archivematica.conf")
        command = [worker.program, "import-config", variables, "--output", worker.config]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, env=worker.environment, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        # All that this site lacks: there is no Archivematica beside this interpreter.
        (missing,) = run.stderr.splitlines()
        self.assertIn("client_assets_directory", missing)
        self.assertIn("quire doctor --archivematica --config " + worker.config, run.stdout)
        # What is there already is not written over.
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, env=worker.environment, check=False)
        self.assertEqual(run.returncode, 64)
        worker.environment["QUIRE_STATE_DIRECTORY"] = os.path.join(worker.folder, "state")
        worker.start()
        wait_until(lambda: "103 functions offered" in worker.log_text() or not worker.is_running(),
                   "the worker to offer its functions")
        self.assertTrue(worker.is_running(), worker.log_text())
        # The job server reads what was sent when it comes to it.
        wait_until(lambda: self.server.is_offered("normalize_v1.0"), "the last function to be offered")

    def test_a_key_that_cannot_be_used_is_refused_at_the_start(self):
        worker = self.make_worker(MODULES, {"workers_key": "site-1"}).start()
        self.assertEqual(worker.wait(), 78)
        self.assertIn('workers_key: "site-1" cannot', worker.log_text())
