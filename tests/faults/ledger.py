"""The ledger of a storm: what scripts write of every task they begin and end, and what it says afterwards."""

import collections
import os
import random

from support.controller import quote, task, tasks_of

LONG = bool(os.environ.get("FAULTS_LONG"))
FUNCTIONS = {name: name for name in ("ledger_native", "ledger_python", "ledger_program")}
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
BUILT_SCRIPTS = os.path.join(os.environ["QUIRE_BUILD"], "tests", "faults", "scripts")
FOLDERS = (SCRIPTS, BUILT_SCRIPTS)


class Ledger:
    def __init__(self, folder):
        self.path = os.path.join(folder, "ledger")
        with open(self.path, "w", encoding="utf-8"):
            pass
        self.ended_on_record = {}  # task id → (when that was seen, in ns; what the record says of it)

    def batch(self, count, milliseconds=0):
        """Tasks that write to the ledger."""
        tasks = tasks_of(*(task() for _ in range(count)))
        for task_id, one in tasks.items():
            one["arguments"] = f"{quote(self.path)} {task_id} {milliseconds}"
        return tasks

    def lines(self, kind):
        """{task id: [times in ns]}"""
        times = collections.defaultdict(list)
        with open(self.path, encoding="utf-8") as ledger:
            for line in ledger:
                word, task_id, when = line.split()
                if word == kind:
                    times[task_id].append(int(when))
        return times

    def look_at_record(self, record, when):
        """Notes which tasks have their end on record by now; nobody may run them from here on."""
        for row in record.query("SELECT taskUUID, exitCode, stdOut FROM Tasks WHERE exitCode IS NOT NULL"):
            self.ended_on_record.setdefault(row["taskUUID"], (when, (row["exitCode"], row["stdOut"])))

    def run_again(self):
        """Tasks that began although their end was on record."""
        begun = self.lines("B")
        return [task_id for task_id, (when, _) in self.ended_on_record.items()
                if any(time > when for time in begun.get(task_id, ()))]


def sizes(total, randomness):
    """Sizes of batches: the usual one, and others, down to one."""
    while total > 0:
        size = min(total, randomness.choice((1, 7, 64, 127, 128, 128, 128, 129, 200)))
        total -= size
        yield size


def seeded(test):
    """Randomness that can be had again: FAULTS_SEED."""
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().randrange(10**9))
    test.figure(f"seed {seed}")
    return random.Random(seed)
