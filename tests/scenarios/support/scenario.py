"""A scenario: a test with a real job server and a real worker in a folder of its own.

    class TestHello(Scenario):
        def test_greets(self):
            self.start_worker({"hello": "hello"})
            self.assertEqual(self.controller.run("hello", task("World"))[0]["stdout"], "Hello, World\\n")

A scenario that fails keeps its folder, with the logs, the record and the configuration, and prints its path.
After every scenario the worker must have ended well and left no process behind.
"""

import os
import shutil
import sys
import tempfile
import unittest

from support.controller import Controller
from support.job_server import JobServer
from support.record import Record
from support.waiting import wait_until
from support.worker import Worker


class Scenario(unittest.TestCase):
    maxDiff = None

    def run(self, result=None):
        result = self.defaultTestResult() if result is None else result
        before = len(result.failures) + len(result.errors)
        self.folder = tempfile.mkdtemp(prefix=f"quire-{self.id().rpartition('.')[2]}-")
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\n{self.id()}: logs and record are kept in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder)
        return result

    def figure(self, text):
        """What was measured, for the table of tests/faults/run."""
        self.figures.append(text)
        print(f"    {text}", file=sys.stderr)

    def setUp(self):
        self.figures = []
        self.server = JobServer(self.folder)
        self.addCleanup(self.server.stop)
        self.workers = []
        self._controllers = []
        self.addCleanup(self._clean_up)

    @property
    def controller(self):
        """The first controller; connected when it is first asked for."""
        return self._controllers[0] if self._controllers else self.new_controller()

    def new_controller(self):
        self._controllers.append(Controller(self.server.port))
        return self._controllers[-1]

    @property
    def worker(self):
        return self.workers[0]

    @property
    def record(self):
        return Record(self.worker.settings["record"])

    def make_worker(self, modules, settings=None, functions=None, folders=()):
        """A worker that is not started yet; `modules` as in start_worker()."""
        folder = os.path.join(self.folder, f"worker{len(self.workers) + 1}")
        os.makedirs(folder)
        self.workers.append(Worker(folder, self.server.address, modules, settings, functions, folders))
        return self.workers[-1]

    def start_worker(self, modules, settings=None, functions=None, folders=(), through=()):
        """A worker that offers all functions of `modules` ({function: module})."""
        worker = self.make_worker(modules, settings, functions, folders).start(through)
        self.wait_for_functions(worker, modules)
        return worker

    def wait_for_functions(self, worker, functions):
        wait_until(lambda: not worker.is_running() or all(map(self.server.is_offered, functions)),
                   f"the worker to offer {sorted(functions)}")
        self.assertTrue(worker.is_running(), f"the worker ended:\n{worker.log_text()}")

    def _clean_up(self):
        # Everything is ended before anything is judged, so that no failure leaves a process behind.
        faults = []
        for controller in self._controllers:
            controller.close()
        for worker in self.workers:
            try:
                if worker.ended_by_itself():
                    faults.append(f"{worker.folder}: the worker ended by itself with {worker.wait()}")
                if worker.is_running():
                    worker.stop()
            except Exception as error:  # told below, with the others
                faults.append(f"{worker.folder}: {error}")
            if worker.process and worker.descendants():
                faults.append(f"{worker.folder}: left behind: {worker.descendants()}")
            if worker.process:
                worker.kill_all()
            if worker.findings():
                faults.append(worker.findings())
        self.assertEqual(faults, [])

    def touch(self, name):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8"):
            pass
        return path

    def gate(self, name="gate"):
        """A folder for the script gate (scripts/gated.py): see Gate."""
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        return Gate(path)


class Gate:
    """Holds scripts until it is opened; tells which ones have come to it."""

    def __init__(self, path):
        self.path = path

    def arrived(self):
        return sorted(name for name in os.listdir(self.path) if name != "open")

    def wait_for(self, count):
        wait_until(lambda: len(self.arrived()) >= count, f"{count} scripts to come to the gate")

    def open(self):
        with open(os.path.join(self.path, "open"), "w", encoding="utf-8"):
            pass
