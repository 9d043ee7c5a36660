"""The controllers of etc/controller, each as its page tells: in C++ against the installed library, in Python, and in Go
where that is installed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from support.awkward_server import AwkwardServer
from support.scenario import Scenario
from support.worker import BUILD, SANITIZED, TESTS

PAGES = os.path.join(TESTS, "..", "..", "etc", "controller")


def cached(name):
    """A value of the build's configuration."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(rf"^{name}:\w+=(.*)$", cache.read(), re.MULTILINE).group(1)


def from_page(language):
    """The only block of code in this language."""
    with open(os.path.join(PAGES, "README.md"), encoding="utf-8") as page:
        (text,) = re.findall(rf"```{language}\n(.*?)```", page.read(), re.DOTALL)
    return text


def build_small(folder):
    """The program of the page by the command of the page, with the folder that it is installed in here."""
    with open(os.path.join(folder, "small.cpp"), "w", encoding="utf-8") as file:
        file.write(from_page("cpp"))
    with open(os.path.join(PAGES, "README.md"), encoding="utf-8") as page:
        (command,) = re.findall(r"^g\+\+ .*$", page.read(), re.MULTILINE)
    words = shlex.split(command.replace("/usr/", f"{folder}/installed/"))
    sanitizer = [f"-fsanitize={cached('QUIRE_SANITIZE')}"] if SANITIZED else []
    run = subprocess.run([cached("CMAKE_CXX_COMPILER"), *words[1:], f"-I{folder}/installed/include", "-Wall", "-Wextra",
                          "-Werror", *sanitizer], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return os.path.join(folder, "small")


def build_controller(folder):
    """Installs what a developer gets, and builds the example against it."""
    def cmake(*arguments):
        run = subprocess.run([cached("CMAKE_COMMAND"), *arguments], cwd=folder, capture_output=True, text=True,
                             timeout=300, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    # A program that loads a sanitized library needs the sanitizer, too.
    flags = [f"-DCMAKE_CXX_FLAGS=-fsanitize={cached('QUIRE_SANITIZE')}"] if SANITIZED else []
    cmake("--install", BUILD, "--component", "development", "--prefix", os.path.join(folder, "installed"))
    cmake("-S", os.path.join(folder, "installed/share/quire/controller"), "-B", "build", f"-DCMAKE_PREFIX_PATH={folder}/installed",
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

    def test_cpp_as_the_page_shows_it(self):
        small = build_small(self.built.name)
        self.start()
        run = self.run_it([small, self.server.address, "greet", "Ann", "it's"])
        self.assertEqual((sorted(run.stdout.splitlines()), run.returncode), (["0 Hello, Ann", "0 Hello, it's"], 0), run.stderr)
        self.server.stop()
        run = self.run_it([small, self.server.address, "greet", "Ann"])
        self.assertEqual(run.returncode, 70)
        self.assertIn("cannot be reached", run.stderr)

    def python(self):
        script = os.path.join(self.folder, "controller.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(from_page("python"))
        return [sys.executable, script]

    def go(self):
        for name in ("controller.go", "go.mod"):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(from_page("go") if name == "controller.go" else "module controller\n\ngo 1.19\n")
        environment = {**os.environ, "HOME": self.folder, "GOCACHE": os.path.join(self.folder, "cache"), "GOFLAGS": "-mod=mod"}
        unformatted = subprocess.run(["gofmt", "-l", "controller.go"], cwd=self.folder, capture_output=True, text=True,
                                     timeout=60, check=True).stdout
        self.assertEqual(unformatted, "")
        for words in (["vet", "."], ["build", "-o", "controller", "."]):
            run = subprocess.run(["go", *words], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False,
                                 env=environment)
            self.assertEqual(run.returncode, 0, run.stderr)
        return [os.path.join(self.folder, "controller")]

    def languages(self):
        yield "python", self.python()
        if shutil.which("go"):
            yield "go", self.go()

    def test_the_others_as_the_page_shows_them(self):
        self.start()
        for language, command in self.languages():
            with self.subTest(language):
                run = self.run_it([*command, self.server.address, "greet", "Ann", "Ben", "it's"])
                self.assertEqual(sorted(run.stdout.splitlines()), ["0 Hello, Ann", "0 Hello, Ben", "0 Hello, it's"], run.stderr)
                self.assertEqual(run.returncode, 0)
                run = self.run_it([*command, self.server.address, "greet", "Ann", "nobody"])
                self.assertIn("who is nobody?", run.stdout)
                self.assertEqual(run.returncode, 1)

    def test_the_others_tell_what_has_no_result_and_why(self):
        for language, command in self.languages():
            with self.subTest(language):
                server = AwkwardServer(["complete", "refuse", "fail", "except", "forget", "close"])
                words = [letter + number for letter in "abcdef" for number in "12"]
                run = self.run_it([*command, server.address, "any", *words])
                server.wait()
                self.assertEqual(server.options, [b"exceptions"])
                self.assertEqual(run.returncode, 1, run.stderr)
                self.assertEqual(run.stderr, "")
                lines = run.stdout.splitlines()
                self.assertEqual(len(lines), 12, lines)

                def told(batch, number, *parts):
                    (task_id,) = [task_id for task_id, one in server.tasks[batch].items() if words[2 * batch + number] in
                                  one["arguments"]]
                    (line,) = [line for line in lines if task_id in line]
                    for part in ("no result of", *parts):
                        self.assertIn(part, line)

                for word in ("a1", "a2", "e1"):
                    self.assertTrue(any(line.startswith("0 done") and word in line for line in lines), lines)
                for number in range(2):
                    told(1, number, "the job server refuses it: no room for a job")
                    told(2, number, "the job failed", "H:test:3")
                    told(3, number, "the job failed", "H:test:4")
                    told(5, number, "the job server", "submit it again under its id")
                told(4, 1, "it is missing in the reply to", "H:test:5")
