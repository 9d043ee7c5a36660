"""A quire worker of a test's own, with a configuration made for it."""

import os
import re
import signal
import subprocess

from support import processes
from support.waiting import wait_until

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD", os.path.join(TESTS, "..", "..", "build")))
SCRIPT_FOLDERS = [os.path.join(BUILD, "tests", "scenarios", "scripts"), os.path.join(TESTS, "scripts")]

# A sanitizer leaves the signals that scenarios provoke alone, and writes what it finds into files, so that a
# finding in any process of the worker is seen.
_SANITIZERS = ("handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
               "print_stacktrace=1:log_path={folder}/sanitizer")


def _is_sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(r"^QUIRE_SANITIZE:STRING=.", cache.read(), re.MULTILINE) is not None


# Whether the build under test has a sanitizer, which needs terabytes of address space.
SANITIZED = _is_sanitized()


def write_module_table(path, modules):
    with open(path, "w", encoding="utf-8") as table:
        table.write("[supportedBatchCommands]\n")
        table.writelines(f"{function} = {module}\n" for function, module in modules.items())


class Worker:
    """Started by start(), ended by stop(). Its files are in `folder`.

    modules: {function: module}. settings: more lines of section [quire]. functions: {function: {key: value}}.
    """

    def __init__(self, folder, servers, modules, settings=None, functions=None, folders=()):
        self.folder = folder
        self.config = os.path.join(folder, "quire.conf")
        self.log = os.path.join(folder, "worker.log")
        self.scripts = os.path.join(folder, "scripts")  # for scripts that a test writes itself
        self.mark = f"SCENARIO_MARK={folder}"
        self.program = os.path.join(BUILD, "bin", "quire")
        self.process = None
        self._end_is_known = False
        os.makedirs(self.scripts, exist_ok=True)
        sanitizers = _SANITIZERS.format(folder=folder)
        self.environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder, "LANG": "C.UTF-8",
                            "ASAN_OPTIONS": sanitizers, "UBSAN_OPTIONS": sanitizers,
                            # Subsets are forks, and scripts have threads.
                            "TSAN_OPTIONS": sanitizers + ":die_after_fork=0",
                            "SCENARIO_MARK": folder}
        self.settings = {
            "gearman_servers": servers,
            "client_modules": os.path.join(folder, "client_modules.conf"),
            "client_scripts": ":".join([self.scripts, *folders, *SCRIPT_FOLDERS]),
            "record": os.path.join(folder, "record.sqlite"),
            "state_directory": os.path.join(folder, "state"),
            "shared_directory": os.path.join(folder, "shared") + "/",
            "max_processes": "2",
            "shutdown_timeout": "30",  # less than a test waits for the end
            "python": "/usr/bin/python3",
            "pass_environment": "PATH HOME LANG ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS SCENARIO_MARK",
            **(settings or {}),
        }
        self.functions = functions or {}
        write_module_table(self.settings["client_modules"], modules)
        self.write_config()

    def write_config(self):
        """Writes the settings and functions as they are now."""
        with open(self.config, "w", encoding="utf-8") as config:
            config.write("[quire]\n")
            config.writelines(f"{name} = {value}\n" for name, value in self.settings.items())
            for function, values in self.functions.items():
                config.write(f"\n[function:{function}]\n")
                config.writelines(f"{name} = {value}\n" for name, value in values.items())
            # Python would write its caches beside the scripts, into the source tree.
            config.write("\n[environment]\nPYTHONDONTWRITEBYTECODE = 1\n")

    def start(self, through=(), options=()):
        """through: the words of a command that runs another one, in the same process. options: more of the worker's."""
        self._end_is_known = False
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*through, self.program, "worker", *options, "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=self.environment)
        return self

    def quire(self, *words, **settings):
        """Another command of quire with this worker's configuration, run to its end. settings: other values of some."""
        return subprocess.run(self.quire_command(*words, **settings), capture_output=True, text=True, timeout=120,
                              check=False, cwd=self.folder, env=self.environment)

    def quire_without_config(self, *words):
        """Another command of quire, by itself."""
        return subprocess.run([self.program, *words], capture_output=True, text=True, timeout=120, check=False,
                              cwd=self.folder, env=self.environment)

    def quire_command(self, *words, **settings):
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        return [self.program, *words, *options, "--config", self.config]

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, guard=60):
        """The worker's exit code, negative for a signal. Raises subprocess.TimeoutExpired after the guard."""
        code = self.process.wait(guard)
        self._end_is_known = True
        return code

    def ended_by_itself(self):
        """Whether it ended and nobody asked how."""
        return self.process is not None and not self.is_running() and not self._end_is_known

    def descendants(self):
        """Every living process that the worker started, directly or not."""
        return [pid for pid in processes.marked(self.mark) if pid != self.pid]

    def stop(self):
        """Ends the worker as an administrator would. Fails unless it exits with 0 and leaves nothing behind."""
        if self.is_running():
            self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"the worker exited with {code}"
        self.assert_nothing_left()

    def assert_nothing_left(self):
        """The worker is gone; so are its children, at once or very soon."""
        wait_until(lambda: not self.descendants(), "the worker's processes to end: " + ", ".join(
            f"{pid} {processes.command_line(pid)}" for pid in self.descendants()), guard=20)

    def kill_all(self):
        """Nothing of this worker remains, whatever state it was in."""
        if self.is_running():
            self.process.kill()
            self.process.wait(60)
        for pid in self.descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def findings(self):
        """What sanitizers found in any process of the worker."""
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("sanitizer"):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as report:
                    texts.append(f"{name}:\n{report.read()}")
        found = re.findall(r".*(?:runtime error:|Sanitizer:).*", self.log_text()) if os.path.exists(self.log) else []
        return "\n".join(texts + found)
