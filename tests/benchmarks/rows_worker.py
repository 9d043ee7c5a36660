"""Rows 5 to 8: a worker that waits, many workers, a large set of batches, short batches beside a long one."""

import os
import shutil
import subprocess
import time

import memory
from row import BEST, Goal, Line, Quantity, Table
from support.record import Record

TASKS = Quantity("tasks", "per second")
MEMORY = Quantity("memory", "MiB", 2, more_is_better=False)


def idle(bench):
    """Memory (PSS of the whole process tree) before the first task and with hosts in use."""

    def start(slots, scripts):
        """A worker with so many scripts, each a file of its own."""
        modules = {f"script_{number}": f"script_{number}" for number in range(scripts)}
        worker = bench.make_quire(f"idle{len(bench.workers)}", modules, workers=str(slots))
        for module in modules:
            shutil.copy(os.path.join(bench.programs, "scripts", "empty_native.so"),
                        os.path.join(worker.scripts, f"{module}.so"))
        worker.start()
        bench.wait_for_quire(worker)
        return worker

    def tree(worker):
        return memory.settled(lambda: [worker.pid, *worker.descendants()])

    def before(slots, scripts):
        worker = start(slots, scripts)
        figure = tree(worker)
        worker.kill_all()
        return [figure]

    def more(scripts, used):
        """For each script of which a batch has been run."""
        worker = start(16, scripts)
        first = tree(worker)
        for function in worker.serves[:used]:
            bench.load(function, in_flight=1, batches=1)
        figure = (tree(worker) - first) / used
        worker.kill_all()
        return [figure]

    def bare(processes):
        pids = bench.pids(bench.floor(processes))
        return [memory.settled(lambda: pids)]

    def line(name, measure, arguments, most=None):
        return Line(name, lambda: measure(*arguments), {"memory": Goal(most, False)} if most else {})

    return [Table("Memory before the first task", [MEMORY],
                  [line("2 bare libgearman workers", bare, (2,)), line("16 bare libgearman workers", bare, (16,)),
                   *(line(f"Quire, {slots} slots", before, (slots, 1), 10) for slots in ((2, 16, 64) if bench.seconds else (16,))),
                   line("Quire, 16 slots, 100 registered scripts", before, (16, 100), 10)], plot="idle", warm=False),
            Table("More memory after a batch", [MEMORY],
                  [line("the first native host, 1 registered script", more, (1, 1), 1.5),
                   line("the first native host, 100 registered scripts", more, (100, 1), 1.5),
                   line("each of ten native hosts, 100 registered scripts", more, (100, 10), 1.5)], warm=False)]


P50 = Quantity("p50 of a batch of one", "ms", 3, more_is_better=False)
EMPTY = {"empty_native": "empty_native"}


def _counts(bench):
    return (1, 4, 16, 64) if bench.seconds else (1, 4)


def _together(bench, function):
    return bench.load(function, in_flight=128).tasks_per_second


def _alone(bench, function):
    return bench.load(function, size=1, in_flight=1).p50


def _name(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"


def slots(bench):
    """Many slots in one daemon."""
    def line(count):
        bench.quire(f"slots{count}", EMPTY, workers=str(count))
        function = f"slots{count}_empty_native"
        goals = {"tasks": Goal(0.9, of=BEST), **({P50.name: Goal(1.5, False, _name(1, "slot"))} if count == 64 else {})}
        return Line(_name(count, "slot"), lambda: [_together(bench, function), _alone(bench, function)], goals)

    return [Table("Slots of one daemon, batches of 128, 128 in flight", [TASKS, P50],
                  [line(count) for count in _counts(bench)], BEST, "slots")]


def daemons(bench):
    """Many daemons of one slot that share one record."""
    longest = Quantity("longest batch of one, one in flight for each daemon", "ms", more_is_better=False)
    lost = Quantity("tasks without their end in the record", "in all", more_is_better=False)

    def line(count):
        prefix, record = f"daemons{count}", os.path.join(bench.folder, f"shared_by_{count}.sqlite")
        first = bench.quire(prefix, EMPTY, workers="1", record=record)  # it makes the record
        others = [bench.make_quire(prefix, EMPTY, workers="1", record=record).start() for _ in range(count - 1)]
        bench.wait_for_quire(first, *others)
        function = f"{prefix}_empty_native"

        def measure():
            together, alone = _together(bench, function), _alone(bench, function)
            all_at_once = bench.load(function, size=1, in_flight=count).longest
            (ended,) = Record(record).query("SELECT count(*) FROM Tasks WHERE endTime IS NOT NULL")[0]
            return [together, alone, all_at_once, bench.sent[function] - ended]
        # No write waits for longer than the batch does that it belongs to.
        goals = {"tasks": Goal(0.9, of=BEST), longest.name: Goal(1000, False), lost.name: Goal(0, False)}
        return Line(_name(count, "daemon"), measure, goals)

    return [Table("Daemons of one slot that share one record, batches of 128, 128 in flight", [TASKS, P50, longest, lost],
                  [line(count) for count in _counts(bench)], BEST, "daemons")]


def large(bench):
    """One large set of batches: a million tasks of an empty script from one quire submit."""
    few, worker_peak, client_peak = "50,000 tasks", Quantity("peak of the worker", "MiB", 1, False), Quantity(
        "peak of quire submit", "MiB", 1, False)

    def submit(tasks):
        path = os.path.join(bench.folder, "tasks")
        with open(path, "w", encoding="ascii") as file:
            file.write("-\n" * tasks)
        worker = bench.quire(f"large{tasks}", {"empty_native": "empty_native"})
        start = time.monotonic()
        client = subprocess.Popen([worker.program, "submit", f"large{tasks}_empty_native", "--file", path,
                                   "--in-flight", "16", "--quiet", "--no-output", "--format", "csv",
                                   "--output", "/dev/null", "--config", worker.config], env=worker.environment)
        with memory.Peak(worker.pid) as ours, memory.Peak(client.pid) as theirs:
            code = client.wait(600)
        seconds = time.monotonic() - start
        worker.kill_all()
        if code != 0:
            raise RuntimeError(f"quire submit exited with {code}; the worker's log: {worker.log_text()[-2000:]}")
        return [tasks / seconds, ours.mebibytes, theirs.mebibytes]

    goals = {"tasks": Goal(0.9, of=few), worker_peak.name: Goal(1.1, False, few), client_peak.name: Goal(1.1, False, few)}
    return [Table("quire submit --file, batches of 128, 16 in flight", [TASKS, worker_peak, client_peak],
                  [Line(few, lambda: submit(50_000)), Line("1,000,000 tasks", lambda: submit(1_000_000), goals)],
                  few, warm=False, rounds=1)]


def fair(bench):
    """Short batches beside a long one of a concurrent script."""
    bench.quire()
    p95, p50 = (Quantity(name, "ms", 2, more_is_better=False) for name in ("p95", "p50"))
    jobs, short = (1_000, 50) if bench.seconds else (100, 5)

    def alone():
        figures = bench.load("quire_empty_native", size=1, in_flight=short, batches=short, interval=100)
        return [figures.p95, figures.p50]

    def beside():
        with bench.load_without_end("quire_busy_native", jobs):
            return alone()

    return [Table("Batches of one, ten a second", [p95, p50],
                  [Line("alone", alone), Line("beside 1,000 jobs of 10 ms", beside, {"p95": Goal(60, False)})],
                  "alone", "fair", warm=False)]
