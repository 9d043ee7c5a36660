"""Client scripts of a Django project laid out as Archivematica is (tests/django), with a real database."""

import os
import urllib.request

import MySQLdb

from support.controller import task, tasks_of
from support.database import PASSWORD
from support.database_scenario import DjangoScenario
from support.django_project import LAYOUTS, PROJECT
from support.waiting import wait_until
from test_metrics import free_port, parse

PATHS = ["MCPClient", "MCPClient/clientScripts", "archivematicaCommon", "dashboard"]
SCRIPTS = os.path.join(PROJECT, "MCPClient", "clientScripts")


class TestDjango(DjangoScenario):
    def start_site(self, *modules, **settings):
        """A worker for the project, as the preset for Archivematica up to 1.17 has it."""
        worker = self.make_worker({module: module + ".py" for module in modules}, {
            "python_prefix": "clientScripts",
            "python_path": ":".join(os.path.join(PROJECT, path) for path in PATHS), **settings}, folders=[SCRIPTS])
        with open(worker.config, "a", encoding="utf-8") as config:
            config.write(f"DJANGO_SETTINGS_MODULE = settings.common\nDJANGO_TEST_SOCKET = {self.database.socket}\n")
        worker.start()
        self.wait_for_functions(worker, modules)
        return worker

    def start_preset(self, layout, *modules, **settings):
        """A worker with the shipped configuration of a layout, and the controller's variables in its environment."""
        layout = LAYOUTS[layout]
        preset, environment = layout.lay_out(self.folder)
        worker = self.make_worker({module: module + ".py" for module in modules})
        own = {key: worker.settings[key] for key in ("record", "state_directory", "client_modules", "max_processes")}
        preset["pass_environment"] = preset.get(
            "pass_environment", "PATH HOME LANG PYTHON* DJANGO_* ARCHIVEMATICA_* XML_CATALOG_FILES") + " SCENARIO_MARK"
        worker.settings = {**preset, **own, **settings}
        worker.write_config()
        with open(worker.config, "a", encoding="utf-8") as config:
            config.writelines(f"{name} = {value}\n" for name, value in environment.items())
        worker.environment[layout.variables["server"]] = self.server.address
        for key, value in {"USER": "archivematica", "PASSWORD": PASSWORD, "HOST": self.database.socket,
                           "DATABASE": "MCP"}.items():
            worker.environment[layout.variables["database"] + key] = value
        worker.start()
        self.wait_for_functions(worker, modules)
        return layout, environment

    def check_preset(self, name):
        port = free_port()
        layout, environment = self.start_preset(name, "surroundings", "write_rows", "failing_import", "counting",
                                                "configured_logger", metrics_address=f"127.0.0.1:{port}")
        tasks = tasks_of(task())
        self.database.insert(tasks)
        batch = self.controller.submit("surroundings", tasks)
        self.controller.wait([batch])
        self.assertEqual(batch.result()["stdout"],
                         f"{layout.module}.surroundings {environment['XML_CATALOG_FILES']} {layout.settings} 1\n",
                         batch.result())
        # The table of tasks is kept from the controller's own variables.
        self.assertEqual([row["exitCode"] for row in self.database.rows().values()], ["0"])
        results = self.controller.run("write_rows", *(task(f"row{number}") for number in range(4)), task("bad fails"))
        self.assertEqual([result["exitCode"] for result in results], [0, 0, 0, 0, 1])
        self.assertIn("wrote row3\n", results[3]["stdout"])
        self.assertEqual(len(self.files()), 5)
        self.assertIn("cannot import name 'NoSuchModel'", self.controller.run("failing_import", task())[0]["stderr"])
        self.assertIn("record 119\n", self.controller.run("configured_logger", task())[0]["stdout"])
        self.controller.run("counting", task("50"))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            self.assertEqual(parse(answer.read().decode())["mcpclient_aips_stored_total"], 1)

    def test_the_preset_of_archivematica_up_to_1_17(self):
        self.check_preset("flat")

    def test_the_preset_of_archivematica_from_1_18_on(self):
        self.check_preset("package")

    def test_the_preset_of_ccp(self):
        self.check_preset("ccp")

    def connect(self):
        connection = MySQLdb.connect(unix_socket=self.database.socket, user="django", db="MCP")
        self.addCleanup(connection.close)
        return connection

    def connections(self):
        """Those of the scripts."""
        return self.database.run("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'django'")

    def files(self):
        return dict(self.database.run("SELECT name, connection FROM MCP.Files"))

    def test_a_transaction_around_the_batch_and_a_connection_for_each_subset(self):
        worker = self.start_site("write_rows")
        results = self.controller.run("write_rows", *(task(f"row{number}") for number in range(10)), task("bad fails"))
        self.assertEqual([result["exitCode"] for result in results], [0] * 10 + [1])
        self.assertIn("wrote row3\n", results[3]["stdout"])
        self.assertIn("ValueError: as asked for", results[10]["stderr"])
        files = self.files()
        self.assertEqual(len(files), 11)
        self.assertEqual(len(set(files.values())), 2, "the two subsets did not have a connection each")
        wait_until(lambda: not self.connections(), "the scripts' connections to be closed")
        self.assertNotIn("fresh process", worker.log_text())

    def test_what_leaves_call_rolls_the_batch_back(self):
        self.start_site("write_rows", max_processes="1")
        results = self.controller.run("write_rows", task("kept no"), task("'roll back'"))
        self.assertIn("the transaction is rolled back", results[1]["stderr"])
        self.assertEqual(self.files(), {})
        self.controller.run("write_rows", task("next"))
        self.assertEqual(list(self.files()), ["next"])

    def test_a_subset_leaves_no_connection_to_be_aborted(self):
        self.start_site("write_rows")
        aborted = self.database.run("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
        for number in range(3):
            self.controller.run("write_rows", task(f"row{number}"))
        wait_until(lambda: not self.connections(), "the scripts' connections to be closed")
        self.assertEqual(self.database.run("SHOW GLOBAL STATUS LIKE 'Aborted_clients'"), aborted)

    def test_after_idle_hours_connections_are_usable(self):
        self.start_site("write_rows")
        self.addCleanup(self.database.run, "SET GLOBAL wait_timeout = 28800")
        self.database.run("SET GLOBAL wait_timeout = 1")
        self.controller.run("write_rows", task("before"))
        idle = self.connect()
        wait_until(lambda: not self.connections(), "the server to close what is idle")
        with self.assertRaises(MySQLdb.OperationalError):
            idle.cursor().execute("SELECT 1")
        self.assertEqual(self.controller.run("write_rows", task("after"))[0]["exitCode"], 0)
        self.assertEqual(set(self.files()), {"before", "after"})

    def test_loggers_are_complete_whatever_is_configured(self):
        self.start_site("configured_logger")
        result = self.controller.run("configured_logger", task())[0]
        for text in [f"record {number}\n" for number in range(120)] + ["after\n"]:
            self.assertIn(text, result["stdout"])
        self.assertIn("an error\n", result["stderr"])

    def test_a_failing_import_is_told_to_its_tasks(self):
        self.start_site("failing_import", "write_rows")
        result = self.controller.run("failing_import", task())[0]
        self.assertNotEqual(result["exitCode"], 0)
        self.assertIn("ImportError: cannot import name 'NoSuchModel'", result["stderr"])
        self.assertEqual(self.controller.run("write_rows", task("row"))[0]["exitCode"], 0)

    def test_a_deadlock_with_a_second_writer_is_told_and_can_be_tried_again(self):
        self.start_site("two_rows")
        self.database.run("INSERT INTO MCP.Files (name) VALUES ('first'), ('second')")
        writer = self.connect()
        with writer.cursor() as other:
            # The one that has changed less is undone.
            other.execute("INSERT INTO Files (name) SELECT CONCAT('other', seq) FROM seq_1_to_50")
            other.execute("UPDATE Files SET state = state + 10 WHERE name = 'second'")
            batch = self.controller.submit("two_rows", tasks_of(task(f"'{self.folder}'")))
            self.controller.wait_for_handles([batch])
            wait_until(lambda: os.path.exists(os.path.join(self.folder, "first")), "the script to hold the first row")
            other.execute("UPDATE Files SET state = state + 10 WHERE name = 'first'")
            writer.commit()
        self.controller.wait([batch])
        result = batch.result()
        self.assertEqual(result["exitCode"], 0, result)
        self.assertRegex(result["stderr"], r"^try 1: \(1213, 'Deadlock found")
        self.assertEqual(self.database.run("SELECT state FROM MCP.Files WHERE name IN ('first', 'second')"),
                         [["11"], ["11"]])

    def test_a_server_that_is_started_anew_in_the_middle_of_a_batch(self):
        self.start_site("gated_rows", **self.database.settings(self.folder))
        gate = self.gate()
        tasks = tasks_of(*(task(f"row{number} '{gate.path}'") for number in range(3)))
        self.database.insert(tasks)
        batch = self.controller.submit("gated_rows", tasks)
        gate.wait_for(1)
        self.database.kill()
        self.database.start()
        gate.open()
        self.controller.wait([batch])
        results = list(batch.results().values())
        self.assertEqual([result["exitCode"] for result in results], [0, 1, 0])
        self.assertRegex(results[1]["stderr"], r"OperationalError: \(20(06|13), ")
        self.assertEqual(set(self.files()), {"row0", "row2"})
        wait_until(lambda: [row["exitCode"] for row in self.database.rows().values()].count(None) == 0,
                   "the results to be written to the server that is back")
        codes = {task_id: row["exitCode"] for task_id, row in self.database.rows().items()}
        self.assertEqual(codes, dict(zip(tasks, ["0", "1", "0"])))

    def test_what_scripts_count_arrives_in_the_workers_metrics(self):
        port = free_port()
        self.start_site("counting", metrics_address=f"127.0.0.1:{port}")

        def metrics():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                return parse(answer.read().decode())

        self.assertEqual(self.controller.run("counting", task("none"))[0]["exitCode"], 1)  # counts nothing
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        # All of it is there once the script is loaded; what has labels has no sample yet.
        self.assertIn("# TYPE mcpclient_dips_stored_total counter\nmcpclient_dips_stored_total 0\n", text)
        self.assertIn('mcpclient_aip_files_stored_bucket{le="+Inf"} 0\n', text)
        self.assertIn("# TYPE mcpclient_sip_started_total counter\n#", text)
        for _ in range(2):
            self.controller.run("counting", *(task("50") for _ in range(5)))
        self.controller.run("counting", task("5 exits"))
        read = metrics()
        self.assertEqual(read['mcpclient_transfer_started_total{transfer_type="Standard"}'], 11)
        self.assertEqual(read['mcpclient_transfer_started_timestamp{transfer_type="Standard"}'], 1700000000)
        self.assertEqual(read["mcpclient_aips_stored_total"], 11)
        buckets = [read[f'mcpclient_aip_files_stored_bucket{{le="{bound}"}}']
                   for bound in ("1.0", "10.0", "100.0", "+Inf")]
        self.assertEqual(buckets, [0, 1, 11, 11])
        self.assertEqual(read["mcpclient_aip_files_stored_sum"], 505)
        # The worker counts these itself.
        self.assertEqual(read['mcpclient_job_total{script_name="counting"}'], 12)
        self.assertNotIn("python_info", str(read))

    def test_a_module_that_is_unsafe_to_fork_has_a_fresh_process_for_each_subset(self):
        worker = self.start_site("with_thread")
        texts = [self.controller.run("with_thread", task(str(number)))[0]["stdout"].split() for number in range(3)]
        self.assertEqual([int(text[0]) for text in texts], [0, 2, 4])
        self.assertEqual(len({text[1] for text in texts}), 3)
        told = [line for line in worker.log_text().splitlines() if "fresh process for each subset" in line]
        self.assertEqual(len(told), 1, told)
        self.assertIn("because 1 thread ('server') ran when it had been loaded", told[0])
