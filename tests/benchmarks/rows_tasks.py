"""Rows 1 to 4: what a task costs, beside bare libgearman workers (the floor) and the workers that Debian packages."""

from bench import BUFFER
from row import Goal, Line, Quantity, Table

TASKS = Quantity("tasks", "per second")
ONE, TWO, TUNED = "floor, one process", "floor, two processes", "floor, larger send buffer"


def empty(bench):
    """Empty scripts, batches of 128, 16 in flight."""
    def line(name, function, *goal):
        return Line(name, lambda: [bench.load(function).tasks_per_second],
                    {"tasks": Goal(*goal, of=ONE)} if goal else {})
    bench.quire()
    lines = [line(ONE, bench.floor(1)), line(TWO, bench.floor(2)),
             line("Quire, native script", "quire_empty_native", 0.2),
             line("Quire, Python script", "quire_empty_python", 0.06)]
    if bench.can_do_without_record():
        bench.quire("unrecorded", record="none")
        lines += [line("Quire, native script, no record", "unrecorded_empty_native", 0.4),
                  line("Quire, Python script, no record", "unrecorded_empty_python")]
    lines += [line(name, function) for name, function in bench.packaged()]
    return [Table("Empty scripts in batches of 128, 16 in flight", [TASKS], lines, ONE, "empty")]


def one(bench):
    """Batches of one task: latency one after another, rate with 16 in flight."""
    p50 = Quantity("p50", "ms", 3, more_is_better=False)
    p99 = Quantity("p99", "ms", 3, more_is_better=False)
    quantities = [p50, p99]

    def turn(name, function, limit=None):
        def measure():
            figures = bench.load(function, size=1, in_flight=1)
            return [figures.p50, figures.p99]
        return Line(name, measure, {"p50": Goal(limit, False, ONE)} if limit else {})

    def flight(name, function, limit=None):
        return Line(name, lambda: [bench.load(function, size=1).tasks_per_second],
                    {"batches": Goal(limit, of=TWO)} if limit else {})

    bench.quire()
    floors = [(ONE, bench.floor(1)), (TWO, bench.floor(2))]
    packaged = bench.packaged()
    native, python = ("Quire, native script", "quire_empty_native"), ("Quire, Python script", "quire_empty_python")
    return [Table("Batches of one, one after another", quantities,
                  [turn(*floors[0]), turn(*native, 4), turn(*python, 6), *(turn(*each) for each in packaged)], ONE, "one"),
            Table("Batches of one, 16 in flight", [Quantity("batches", "per second")],
                  [*(flight(*each) for each in floors), flight(*native, 0.25), flight(*python),
                   *(flight(*each) for each in packaged)], TWO, "one_16_in_flight")]


def program(bench):
    """One program, /bin/true, for each task."""
    def line(name, function, limit=None):
        return Line(name, lambda: [bench.load(function).tasks_per_second],
                    {"tasks": Goal(limit, of=TWO)} if limit else {})
    bench.quire()
    return [Table("One /bin/true for each task, batches of 128, 16 in flight", [TASKS],
                  [line(ONE, bench.floor(1) + "_program"), line(TWO, bench.floor(2) + "_program"),
                   line("Quire, the program itself", "quire_true_program", 0.95),
                   line("Quire, started by a native script", "quire_true_native", 0.95),
                   line("Quire, started by a Python script", "quire_true_python", 0.95),
                   *(line(name, function + "_program") for name, function in bench.packaged())], TWO, "program")]


def output(bench):
    """10 KiB of output for each task."""
    def line(name, function, limit=None):
        return Line(name, lambda: [bench.load(function, output=10 * 1024).tasks_per_second],
                    {"tasks": Goal(limit, of=TUNED)} if limit else {})
    bench.quire()
    return [Table("10 KiB of output for each task, batches of 128, 16 in flight", [TASKS],
                  [line(TUNED, bench.floor(1, BUFFER) + "_output"),
                   line("floor, untuned", bench.floor(1) + "_output"),
                   line("Quire, native script", "quire_output_native", 0.4),
                   *(line(name, function + "_output") for name, function in bench.packaged())], TUNED, "output")]
