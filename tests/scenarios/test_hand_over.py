"""A site moves over from its own worker to Quire, as the pages tell it, and back."""

import json
import os
import signal

from support.controller import task, tasks_of
from support.database import PASSWORD
from support.database_scenario import DjangoScenario
from support.python_worker import PythonWorker
from support.site import CcpSite, FoldersSite, PackageSite
from support.waiting import wait_until


class TestHandOver(DjangoScenario):
    def make_site(self, kind):
        """(site, worker that is not started yet): the worker's configuration is to be imported."""
        site = kind(self.folder, self.server.address, self.database)
        worker = self.make_worker({})
        worker.config = os.path.join(self.folder, "imported.conf")
        # What the tests' own processes are known by goes the way of any variable of the site.
        with open(site.variables, "a", encoding="utf-8") as variables:
            variables.writelines(f"{name}={value}\n" for name, value in worker.environment.items()
                                 if name == "SCENARIO_MARK" or name.endswith("SAN_OPTIONS"))
        worker.environment.update(QUIRE_STATE_DIRECTORY=worker.settings["state_directory"], QUIRE_MAX_PROCESSES="2",
                                  QUIRE_SHUTDOWN_TIMEOUT="30")
        return site, worker

    def import_config(self, site, worker):
        done = worker.quire_without_config("import-config", *site.paths, "--output", worker.config)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"quire doctor --archivematica --config {worker.config} --environment-file {site.variables}\n",
                      done.stdout)
        with open(worker.config, encoding="utf-8") as config:
            text = config.read()
        self.assertNotIn(PASSWORD, text)
        return text

    def doctor(self, site, worker):
        """({check: [(level, sentence)]}, exit status)"""
        done = worker.quire("doctor", "--archivematica", "--json", "--environment-file", site.variables)
        self.assertEqual(done.stderr, "")
        self.assertNotIn(PASSWORD, done.stdout)
        findings = {}
        for line in done.stdout.splitlines():
            finding = json.loads(line)
            findings.setdefault(finding["check"], []).append((finding["level"], finding["sentence"]))
        return findings, done.returncode

    def assert_well(self, site, worker):
        findings, code = self.doctor(site, worker)
        self.assertEqual({level for each in findings.values() for level, _ in each}, {"ok"}, findings)
        self.assertEqual(code, 0)
        self.assertEqual(findings["modules"], [("ok", "4 of 4 modules load.")])
        return findings

    def start(self, site, worker):
        worker.start(options=["--environment-file", site.variables])
        self.wait_for_functions(worker, site.functions)

    def submit(self, *arguments):
        """A batch of write_rows whose rows the controller has made."""
        tasks = tasks_of(*(task(each) for each in arguments))
        self.database.insert(tasks)
        return self.controller.submit("write_rows_v0.0", tasks)

    def check_rows(self, batch, codes, of_old_worker=False):
        """The answer and the rows are right. Gives who is in the rows. The old worker's replies have no stderr."""
        results = json.loads(batch.packets[0][1])["task_results"] if of_old_worker else batch.results()
        self.assertEqual([results[task_id]["exitCode"] for task_id in batch.tasks], codes)
        rows = self.database.rows()
        for task_id, code in zip(batch.tasks, codes):
            row = rows[task_id]
            self.assertEqual(row["exitCode"], str(code))
            self.assertIsNotNone(row["startTime"])
            self.assertIsNotNone(row["endTime"])
        return {rows[task_id]["client"] for task_id in batch.tasks}

    def move_over(self, kind):
        site, worker = self.make_site(kind)
        text = self.import_config(site, worker)
        self.assert_well(site, worker)
        self.start(site, worker)
        batch = self.submit("one", "two", "three fails")
        self.controller.wait([batch])
        (client,) = self.check_rows(batch, [0, 0, 1])
        self.assertTrue(client.endswith(f":{worker.pid}"), client)
        self.assertEqual({name for (name,) in self.database.run("SELECT name FROM MCP.Files")}, {"one", "two", "three"})
        self.assertEqual(self.controller.run("copy_recursive_v0.0", task())[0]["stdout"], "of the site\n")
        self.assertNotIn(PASSWORD, worker.log_text())
        return text

    def test_archivematica_with_folders_and_back(self):
        site, worker = self.make_site(FoldersSite)

        def old(_task_id, words):
            self.database.run(f"INSERT INTO MCP.Files (name) VALUES ('{words[0]}')")
            return 0, "", ""

        # The site's own worker runs while the configuration is made and checked.
        python = PythonWorker(self.server.port, "write_rows_v0.0", self.database, old)
        stop = python.stop
        self.addCleanup(lambda: stop())
        before = self.submit("before")
        self.controller.wait([before])
        self.check_rows(before, [0], of_old_worker=True)
        text = self.import_config(site, worker)
        self.assertIn(f"python_path = {site.root}/MCPClient:{site.root}/MCPClient/clientScripts:"
                      f"{site.root}/archivematicaCommon:{site.root}/dashboard\n", text)
        findings = self.assert_well(site, worker)
        self.assertIn("1 of the 4 functions is served by a worker now", findings["jobserver"][0][1])

        # The change: what was submitted meanwhile waits.
        stop()
        batches = [self.submit(f"row{number}", f"row{number}b fails") for number in range(5)]
        self.controller.wait_for_handles(batches)
        self.start(site, worker)
        self.controller.wait(batches)
        for batch in batches:
            (client,) = self.check_rows(batch, [0, 1])
            self.assertTrue(client.endswith(f":{worker.pid}"), client)

        # And back.
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0)
        after = self.submit("after")
        python = PythonWorker(self.server.port, "write_rows_v0.0", self.database, old)
        stop = python.stop
        self.controller.wait([after])
        self.check_rows(after, [0], of_old_worker=True)
        names = {name for (name,) in self.database.run("SELECT name FROM MCP.Files")}
        self.assertEqual(names, {"before", "after"} | {f"row{n}{b}" for n in range(5) for b in ("", "b")})

    def test_archivematica_as_a_package(self):
        text = self.move_over(PackageSite)
        self.assertIn("python_prefix = archivematica.MCPClient.clientScripts\n", text)
        self.assertIn("/virtualenv/bin/python\n", text)

    def test_ccp(self):
        self.assertIn("python_prefix = worker.clientScripts\n", self.move_over(CcpSite))

    def test_native_scripts_laid_over_an_imported_configuration(self):
        site, worker = self.make_site(FoldersSite)
        text = self.import_config(site, worker)
        with open(worker.config, "w", encoding="utf-8") as config:
            config.write(text.replace("\n#client_modules = ", "\nclient_modules = ").replace(
                f"\nclient_modules = {site.table}\n", "\n"))
        findings, code = self.doctor(site, worker)
        self.assertEqual(code, 0, findings)
        self.start(site, worker)
        wait_until(lambda: self.server.is_offered("copy_v0.0"), "the native scripts to be offered")
        # The table of the site still means the script of the site.
        self.assertEqual(self.controller.run("copy_recursive_v0.0", task())[0]["stdout"], "of the site\n")
        self.assertNotEqual(self.controller.run("copyrecursive_v0.0", task())[0]["stdout"], "of the site\n")
        with open(os.path.join(site.shared, "a"), "w", encoding="utf-8") as file:
            file.write("text")
        result = self.controller.run("copy_v0.0", task("%sharedPath%a %sharedPath%b"))[0]
        self.assertEqual(result["exitCode"], 0, result)
        with open(os.path.join(site.shared, "b"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "text")

    def test_what_is_wrong_is_told_with_its_remedy(self):
        site, worker = self.make_site(FoldersSite)
        text = self.import_config(site, worker)
        site.write_variables(password="not the one")
        findings, code = self.doctor(site, worker)
        self.assertEqual(code, 2)
        ((level, sentence),) = findings["database"]
        self.assertEqual(level, "critical")
        self.assertRegex(sentence, r"error 1045.*Correct user and password in what mariadb_settings = archivematica:")
        self.assertNotIn("not the one", str(findings))
        site.write_variables()

        self.database.kill()
        self.addCleanup(self.database.empty)
        findings, code = self.doctor(site, worker)
        self.assertEqual(code, 2)
        self.assertRegex(findings["database"][0][1], "Start it, or correct host and port")
        self.assertTrue(any("write_rows" in sentence and "not load" in sentence for _, sentence in findings["modules"]),
                        findings)
        self.database.start()

        with open(worker.config, "w", encoding="utf-8") as config:
            config.write(text.replace(f"shared_directory = {site.shared}", "shared_directory = /nonexistent"))
        findings, code = self.doctor(site, worker)
        self.assertEqual(code, 2)
        self.assertIn("correct shared_directory", findings["shared"][0][1])
        self.assertEqual(findings["database"][0][0], "ok", findings)
