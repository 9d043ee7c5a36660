"""A bench: a job server, the workers that a row compares, and the load that they all get.

    with Bench(build_folder, seconds=1) as bench:
        bench.load(bench.floor()).tasks_per_second
"""

import collections
import concurrent.futures
import contextlib
import os
import re
import shutil
import subprocess
import tempfile

from support.job_server import JobServer
from support.waiting import wait_until
from support.worker import Worker

HERE = os.path.dirname(os.path.abspath(__file__))
BUFFER = 4 * 1024 * 1024  # bytes of send buffer, as a quire worker has them

# What tests/benchmarks/load.cpp prints; times in milliseconds, of a batch.
Figures = collections.namedtuple("Figures", "tasks_per_second p50 p95 p99 longest")

# name of the worker: (the package that it comes with, a question that succeeds when it is there)
PACKAGED = {
    "php-gearman": ("php-cli php-gearman", ["php", "-r", "exit(class_exists('GearmanWorker') ? 0 : 1);"]),
    "Gearman::Worker (Perl)": ("libgearman-client-perl", ["perl", "-MGearman::Worker", "-e", "1"]),
    "gearman -w": ("gearman-tools", ["gearman", "-H"]),
}
# Function → module, as the workers of a bench know them; "true" is the program in /bin.
MODULES = {"empty_native": "empty_native", "empty_python": "empty_python", "output_native": "output_native",
           "busy_native": "busy_native", "true_native": "true_native", "true_python": "true_python",
           "true_program": "true"}


def _succeeds(question):
    try:
        return subprocess.run(question, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def missing_packages():
    """{name of the worker: its packages}, of those that are not installed here."""
    return {name: packages for name, (packages, question) in PACKAGED.items() if not _succeeds(question)}


def build(folder):
    """Builds what a bench needs, where that has not been done."""
    subprocess.run(["cmake", "--build", folder, "--target", "quire", "quire-host", "benchmarks"],
                   stdout=subprocess.DEVNULL, check=True)


class Bench:
    def __init__(self, build_folder, seconds=1, packaged=True):
        """seconds: of each load; 0: a batch of at most 16 tasks. packaged: whether Debian's workers are compared, too."""
        self.build = build_folder
        self.programs = os.path.join(build_folder, "tests", "benchmarks")
        self.seconds = seconds
        self._rates = {}  # of each kind of load: batches per second when it was last measured
        self._packaged = packaged
        self.workers = []
        self._known = {}  # processes by the function that they serve
        self.sent = collections.Counter()  # tasks by function

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="quire-benchmark-")
        self.server = JobServer(self.folder)
        return self

    def __exit__(self, *_):
        for process in sum(self._known.values(), []):
            process.kill()
            process.wait()
        for worker in self.workers:
            worker.kill_all()
        self.server.stop()
        shutil.rmtree(self.folder)

    # ---- the load ----

    def load(self, function, size=128, in_flight=16, output=0, batches=None, interval=0):
        """Sends batches of `size` tasks for about `seconds`, as the rate of the load before says, or so many.

        output: bytes that each task writes. interval: milliseconds between two batches, whether answered or not.
        The first load of a kind is one batch, since nothing is known of it: it only warms.
        """
        if not self.seconds:
            size = min(size, 16)
        kind = (function, size, in_flight, output, interval)
        if not batches:
            # Fewer would not keep the workers busy, and more would not fit into memory.
            least, most = (2 if self.seconds and kind in self._rates else 1), min(10_000, 2_000_000 // size)
            batches = max(least, min(most, round(self._rates.get(kind, 0) * self.seconds)))
        done = subprocess.run(self._command(function, batches * size, size, in_flight, output, interval),
                              stdout=subprocess.PIPE, timeout=600, check=True)
        self.sent[function] += batches * size
        figures = Figures(*map(float, done.stdout.split()))
        self._rates[kind] = figures.tasks_per_second / size
        return figures

    def _command(self, function, *numbers):
        return [os.path.join(self.programs, "benchmark_load"), *map(str, (self.server.port, function, *numbers))]

    @contextlib.contextmanager
    def load_without_end(self, function, size):
        """One batch of `size` tasks after the other, until the block ends and the last one has been answered."""
        wanted = True

        def go_on():
            while wanted:
                subprocess.run(self._command(function, size, size, 1), stdout=subprocess.DEVNULL, check=True)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            going = pool.submit(go_on)
            wait_until(lambda: going.done() or self.server.running(function), f"a batch of {function} to run")
            try:
                yield
            finally:
                wanted = False
            going.result()

    # ---- the workers ----

    def floor(self, processes=1, send_buffer=0):
        """The function that so many bare libgearman workers serve."""
        name = f"floor_{processes}_{send_buffer}"
        return self._start(name, [[os.path.join(self.programs, "benchmark_floor"), str(self.server.port), name,
                                   *([str(send_buffer)] if send_buffer else [])]], processes)

    def packaged(self):
        """[(name of the worker, function that two processes of it serve)]"""
        if not self._packaged:
            return []
        port, workers = str(self.server.port), os.path.join(HERE, "workers")
        missing = missing_packages()
        commands = {
            "php-gearman": ("php", [["php", os.path.join(workers, "worker.php"), port, "php"]]),
            "Gearman::Worker (Perl)": ("perl", [["perl", os.path.join(workers, "worker.pl"), port, "perl"]]),
            # It does not tell its command which function was called.
            "gearman -w": ("cli", [["gearman", "-w", "-h", "127.0.0.1", "-p", port, "-f", function, "--",
                                    os.path.join(workers, "answer"), work]
                                   for function, work in (("cli", "none"), ("cli_output", "output"),
                                                          ("cli_program", "program"))]),
        }
        return [(name, self._start(function, command, 2))
                for name, (function, command) in commands.items() if name not in missing]

    def _start(self, name, commands, processes):
        """So many processes of each command; together the commands serve NAME, NAME_output and NAME_program."""
        if name not in self._known:
            self._known[name] = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for command in commands * processes]
            for function in (name, f"{name}_output", f"{name}_program"):
                wait_until(lambda f=function: self._offering(f) >= processes, f"{processes} workers for {function}")
        return name

    def pids(self, name):
        """Of the workers that _start() has started."""
        return [process.pid for process in self._known[name]]

    def _offering(self, function):
        return self.server.status().get(function, (0, 0, 0))[2]

    def quire(self, prefix="quire", modules=MODULES, **settings):
        """A worker with its own record that serves PREFIX_NAME for each of `modules` already."""
        worker = self.make_quire(prefix, modules, **settings).start()
        self.wait_for_quire(worker)
        return worker

    def make_quire(self, prefix, modules=MODULES, **settings):
        """One that is not started yet."""
        folder = os.path.join(self.folder, f"worker{len(self.workers)}")
        os.makedirs(folder)
        own = {"client_scripts": f"{folder}/scripts:{self.programs}/scripts:{HERE}/scripts:/bin", "output_limit": "0",
               # As many as a worker has that nobody has configured.
               "max_processes": "0"}
        functions = {f"{prefix}_{name}": module for name, module in modules.items()}
        # A program cannot say by itself that it may run twice at once; the scripts do.
        concurrent = {f"{prefix}_{name}": {"concurrent_instances": os.cpu_count()} for name in modules
                      if name == "true_program"}
        worker = Worker(folder, self.server.address, functions, {**own, **settings}, concurrent)
        worker.serves = list(functions)
        self.workers.append(worker)
        return worker

    def wait_for_quire(self, *workers):
        """Until all of these, which serve the same functions, offer them."""
        def all_offer():
            for worker in workers:
                if not worker.is_running():
                    raise RuntimeError(f"a worker ended: {worker.log_text()}")
            return all(self._offering(function) >= len(workers) for function in workers[0].serves)
        wait_until(all_offer, f"{len(workers)} workers for {workers[0].serves}")

    def can_do_without_record(self):
        """Whether quire knows the setting record = none."""
        text = subprocess.run([os.path.join(self.build, "bin", "quire"), "worker", "--help"],
                              stdout=subprocess.PIPE, check=True, text=True).stdout
        return re.search(r"--record [^-]*none", text) is not None
