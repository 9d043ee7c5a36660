"""20,000 tasks at once, in batches of every awkward size, to scripts of all three kinds."""

from support.controller import quote, task, tasks_of
from support.record import as_bytes
from support.scenario import Scenario

# A program is a process a task, so it gets the smaller share.
SHARES = {"mix_native": 8000, "mix_python": 8000, "mix_program": 4000}
EXIT_CODES = (0, 0, 0, 1, 179, 255)


def sizes(total):
    """Batches of 1,000, 129, 128, 127 and 1 that make up the total."""
    result = []
    while total > 0:
        for size in (1000, 129, 128, 127, 1):
            if size <= total:
                result.append(size)
                total -= size
    return result


def text(index):
    return f"n\u00e4me {index} 'single' \"double\" \\ ` \U0001f4dc"


def make_task(index):
    code = EXIT_CODES[index % len(EXIT_CODES)]
    return task(f"%taskUUID% {quote(text(index))} {code}", wants_output=index % 4 != 0,
                dialect="uuid" if index % 2 else "task_uuid")


class TestMix(Scenario):
    def test_every_task_is_answered_once_with_its_own_output_and_recorded(self):
        self.start_worker({function: function for function in SHARES})
        index, expected, queues = 0, {}, {}
        for function, total in SHARES.items():
            queues[function] = []
            for size in sizes(total):
                tasks = tasks_of(*(make_task(index + i) for i in range(size)))
                for i, task_id in enumerate(tasks, start=index):
                    expected[task_id] = (function, i)
                queues[function].append(tasks)
                index += size
        self.assertEqual(len(expected), 20000)

        # One connection for each kind of script, so that none waits behind another; all batches at once.
        sent = []
        for function, batches in queues.items():
            controller = self.new_controller()
            sent.append((controller, [controller.submit(function, tasks) for tasks in batches]))
        for controller, batches in sent:
            controller.wait(batches, guard=400)

        answered = set()
        for _, batches in sent:
            for batch in batches:
                for task_id, result in batch.results().items():
                    self.assertNotIn(task_id, answered)
                    answered.add(task_id)
                    self.check(task_id, result, batch.tasks[task_id]["wants_output"], *expected[task_id])
        self.assertEqual(answered, set(expected))

        rows = self.record.rows()
        self.assertEqual(set(rows), set(expected))
        for task_id, row in rows.items():
            self.check_row(task_id, row, *expected[task_id])

    def check(self, task_id, result, wants_output, function, index):
        self.assertEqual(result["exitCode"], EXIT_CODES[index % len(EXIT_CODES)], task_id)
        self.assertIsNotNone(result["finishedTimestamp"])
        if wants_output:
            self.assertEqual(result["stdout"], f"{function} {task_id} {task_id} {text(index)}")
            self.assertEqual(result["stderr"], f"error of {task_id}")

    def check_row(self, task_id, row, function, index):
        self.assertEqual(row["exec"], function)
        self.assertEqual(row["exitCode"], EXIT_CODES[index % len(EXIT_CODES)])
        self.assertEqual(as_bytes(row["stdOut"]).decode(), f"{function} {task_id} {task_id} {text(index)}")
        if row["exitCode"] != 0:
            self.assertEqual(as_bytes(row["stdError"]).decode(), f"error of {task_id}")
        self.assertLessEqual(row["startTime"], row["endTime"])
        self.assertNotEqual(row["client"], "")
