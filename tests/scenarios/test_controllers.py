"""The controllers of etc/controller, each as its page tells: in C++ against the installed library, and in Python."""

import os
import re
import subprocess
import sys
import tempfile

from support.scenario import Scenario
from support.worker import BUILD, SANITIZED, TESTS

PAGES = os.path.join(TESTS, "..", "..", "etc", "controller")


def cached(name):
    """A value of the build's configuration."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(rf"^{name}:\w+=(.*)$", cache.read(), re.MULTILINE).group(1)


def build_controller(folder):
    """Installs what a developer gets, and builds the example against it."""
    def cmake(*arguments):
        run = subprocess.run([cached("CMAKE_COMMAND"), *arguments], cwd=folder, capture_output=True, text=True,
                             timeout=300, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    # A program that loads a sanitized library needs the sanitizer, too.
    flags = [f"-DCMAKE_CXX_FLAGS=-fsanitize={cached('QUIRE_SANITIZE')}"] if SANITIZED else []
    cmake("--install", BUILD, "--component", "development", "--prefix", os.path.join(folder, "installed"))
    cmake("-S", PAGES, "-B", "build", f"-DCMAKE_PREFIX_PATH={folder}/installed",
          f"-DCMAKE_CXX_COMPILER={cached('CMAKE_CXX_COMPILER')}", *flags)
    cmake("--build", "build")
    return os.path.join(folder, "build", "controller")


class TestControllers(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.built = tempfile.TemporaryDirectory(prefix="quire-controller-")
        cls.addClassCleanup(cls.built.cleanup)
        cls.program = build_controller(cls.built.name)

    def start(self, **settings):
        worker = self.make_worker({"greet": "greet"}, settings)
        with open(os.path.join(worker.scripts, "greet.py"), "w", encoding="utf-8") as script:
            script.write("def call(jobs):\n    for job in jobs:\n        with job.JobContext():\n"
                         "            if job.args[1] == 'nobody':\n                raise ValueError('who is nobody?')\n"
                         "            job.print_output('Hello,', job.args[1])\n")
        worker.start()
        key = settings.get("workers_key")
        self.wait_for_functions(worker, [f"{key}-greet" if key else "greet"])

    def run_it(self, command, **environment):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              env={"PATH": "/usr/bin:/bin", **environment}, check=False)

    def test_cpp(self):
        self.start()
        run = self.run_it([self.program, self.server.address, "greet", "Ann", "it's", "a `b` \\` c", "Dan", "Eve"])
        self.assertEqual(sorted(run.stdout.splitlines()),
                         ["0 Hello, Ann", "0 Hello, Dan", "0 Hello, Eve", "0 Hello, a `b` \\` c", "0 Hello, it's"])
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_cpp_tells_what_failed(self):
        self.start()
        run = self.run_it([self.program, self.server.address, "greet", "Ann", "nobody"])
        self.assertIn("0 Hello, Ann\n1 ", run.stdout)
        self.assertIn("who is nobody?", run.stdout)
        self.assertEqual(run.returncode, 1)

    def test_cpp_under_a_workers_key(self):
        self.start(workers_key="site1")
        run = self.run_it([self.program, self.server.address, "greet", "Ann"], WORKERS_KEY="site1")
        self.assertEqual((run.stdout, run.returncode), ("0 Hello, Ann\n", 0), run.stderr)

    def test_cpp_says_when_there_is_no_job_server(self):
        self.server.stop()
        run = self.run_it([self.program, self.server.address, "greet", "Ann"])
        self.assertEqual(run.returncode, 69)
        self.assertRegex(run.stderr, r"^controller: The job server at 127.0.0.1:\d+ cannot be reached")

    def test_python_as_the_page_shows_it(self):
        self.start()
        with open(os.path.join(PAGES, "README.md"), encoding="utf-8") as page:
            (text,) = re.findall(r"```python\n(.*?)```", page.read(), re.DOTALL)
        script = os.path.join(self.folder, "controller.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        run = self.run_it([sys.executable, script, self.server.address, "greet", "Ann", "Ben", "it's"])
        self.assertEqual(sorted(run.stdout.splitlines()), ["0 Hello, Ann", "0 Hello, Ben", "0 Hello, it's"], run.stderr)
        self.assertEqual(run.returncode, 0)
