"""The files below etc/ that keep a worker and gearmand running, each tried with the program that reads it."""

import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

from support.controller import Controller, task, tasks_of
from support.job_server import JobServer
from support.scenario import Scenario
from support.waiting import wait_until
from support.worker import BUILD

ETC = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "etc"))
QUIRE = os.path.join(BUILD, "bin", "quire")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class TestSystemd(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="quire-systemd-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.units = []
        for name in ("quire-worker.service", "quire-worker@.service"):
            unit = os.path.join(self.folder, name)
            with open(unit, "w", encoding="utf-8") as file:
                file.write(read(ETC, "systemd", name).replace("/usr/bin/quire", QUIRE))
            self.units.append(unit.replace("@.", "@1."))

    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60,
                              check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})

    def test_verify_finds_nothing(self):
        ended = self.analyze("verify", "--man=no", *self.units)
        self.assertEqual((ended.returncode, ended.stdout + ended.stderr), (0, ""))

    def test_exposure_stays_below_two(self):
        for unit in (self.units[0], os.path.join(self.folder, "quire-worker@.service")):
            ended = self.analyze("security", "--offline=true", "--threshold=20", unit)
            self.assertEqual(ended.returncode, 0, ended.stdout[-200:] + ended.stderr)

    def test_start_limits_are_those_of_atom(self):
        for name in ("quire-worker.service", "quire-worker@.service"):
            lines = read(ETC, "systemd", name).splitlines()
            for line in ("Type=notify", "Restart=on-failure", "RestartSec=30", "StartLimitIntervalSec=24h",
                         "StartLimitBurst=3"):
                self.assertIn(line, lines)

    def test_the_unit_for_many_differs_in_its_name_and_its_variables_only(self):
        def directives(name):
            return {line for line in read(ETC, "systemd", name).splitlines() if line and line[0] not in "#["}
        one, many = directives("quire-worker.service"), directives("quire-worker@.service")
        self.assertEqual({line.partition("=")[0] for line in one ^ many}, {"Description", "EnvironmentFile"})


class Supervisord(Scenario):
    def test_supervisord_starts_it_again_and_stops_it_well(self):
        worker = self.make_worker({"words": "words"})
        user = pwd.getpwuid(os.geteuid()).pw_name
        program = (read(ETC, "supervisord", "quire.conf").replace("/usr/bin/quire", QUIRE)
                   .replace("/etc/quire/quire.conf", worker.config).replace("user=quire", f"user={user}")
                   .replace("/var/lib/quire", self.folder).replace("/var/log/supervisor", self.folder))
        configuration = os.path.join(self.folder, "supervisord.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"[supervisord]\nnodaemon=true\nlogfile={self.folder}/supervisord.log\n"
                       f"pidfile={self.folder}/supervisord.pid\nuser={user}\nchildlogdir={self.folder}\n\n{program}")
        with open(os.path.join(self.folder, "supervisord.out"), "wb") as log:
            supervisor = subprocess.Popen(["supervisord", "-c", configuration], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, env=worker.environment)
        try:
            self.wait_for("words", supervisor)
            (first,) = self.workers_of(supervisor)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: self.workers_of(supervisor) not in ([], [first]), "supervisord to start it again")
            self.wait_for("words", supervisor)
            (row,) = self.controller.run("words", task("a b"))
            self.assertEqual(row["exitCode"], 0)
        finally:
            supervisor.terminate()
            code = supervisor.wait(60)
        log = read(self.folder, "supervisord.log")
        self.assertEqual(code, 0, log)
        self.assertIn("stopped: quire-worker_00 (exit status 0)", log)

    def wait_for(self, function, supervisor):
        wait_until(lambda: supervisor.poll() is not None or self.server.is_offered(function), "the worker")
        self.assertIsNone(supervisor.poll(), read(self.folder, "supervisord.out"))

    @staticmethod
    def workers_of(supervisor):
        return list(map(int, read(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").split()))


class DropIn(JobServer):
    """gearmand with Debian's words and our file, which is as shipped but for the folder of its queue."""

    def __init__(self, folder):
        self.configuration = os.path.join(folder, "gearmand.conf")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(read(ETC, "gearmand", "gearmand.conf").replace("/var/lib/gearman", folder))
        super().__init__(folder)

    def words(self):
        return ["gearmand", f"--port={self.port}", f"--config-file={self.configuration}", "--log-file=stderr",
                f"--pid-file={self.folder}/gearmand.pid"]


class Grabber:
    """A worker on a bare socket: it takes jobs and never answers them."""

    _CAN_DO, _GRAB_JOB, _NO_JOB, _JOB_ASSIGN = 1, 9, 10, 11

    def __init__(self, port, functions):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        for function in functions:
            self._send(self._CAN_DO, function.encode())

    def grab(self):
        """The function of the job that was assigned, or None when there is no job."""
        self._send(self._GRAB_JOB)
        _, kind, size = struct.unpack(">4sII", self._receive(12))
        body = self._receive(size)
        assert kind in (self._NO_JOB, self._JOB_ASSIGN), kind
        return body.split(b"\0")[1].decode() if kind == self._JOB_ASSIGN else None

    def close(self):
        self._socket.close()

    def _send(self, kind, body=b""):
        self._socket.sendall(b"\0REQ" + struct.pack(">II", kind, len(body)) + body)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            assert part, "gearmand closed the worker's connection"
            data += part
        return data


class TestGearmand(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="quire-gearmand-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = DropIn(self.folder)
        self.addCleanup(self.server.stop)
        self.connections = []
        self.addCleanup(lambda: [each.close() for each in self.connections])

    def controller(self):
        self.connections.append(Controller(self.server.port))
        return self.connections[-1]

    def grabber(self, *functions):
        self.connections.append(Grabber(self.server.port, functions))
        return self.connections[-1]

    def test_it_listens_on_loopback_only(self):
        listening = [line.split()[1] for table in ("tcp", "tcp6") for line in read(f"/proc/net/{table}").splitlines()[1:]
                     if line.split()[3] == "0A" and line.split()[1].endswith(f":{self.server.port:04X}")]
        self.assertEqual(listening, [f"0100007F:{self.server.port:04X}"])

    def test_a_background_job_survives_a_restart(self):
        controller = self.controller()
        controller.wait([controller.submit("later", tasks_of(task("x")), background=True)])
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.status()["later"][0], 1)
        with open(os.path.join(self.folder, "queue.sqlite"), "rb") as queue:
            self.assertEqual(queue.read(15), b"SQLite format 3")

    def test_a_job_that_takes_its_workers_with_it_is_given_up(self):
        limit = int(re.search(r"--job-retries=(\d+)", read(self.server.configuration)).group(1))
        controller = self.controller()
        batch = controller.submit("deadly", tasks_of(task("x")))
        controller.wait_for_handles([batch])
        taken = 0
        while not batch.done:
            worker = self.grabber("deadly")
            if worker.grab() is None:
                break
            taken += 1
            self.assertLessEqual(taken, limit + 1)
            worker.close()
            wait_until(lambda: self.server.running("deadly") == 0, "gearmand to see that the worker is gone")
        controller.wait([batch])
        self.assertIn("FAIL", batch.names)
        self.assertGreaterEqual(taken, limit)

    def test_functions_are_served_in_turns(self):
        controller = self.controller()
        batches = [controller.submit(name, tasks_of(task("x"))) for name in ("one", "two") for _ in range(3)]
        controller.wait_for_handles(batches)
        worker = self.grabber("one", "two")
        order = [worker.grab() for _ in batches]
        self.assertEqual(sorted(order), ["one"] * 3 + ["two"] * 3)
        self.assertTrue(all(a != b for a, b in zip(order, order[1:])), order)


if __name__ == "__main__":
    unittest.main()
