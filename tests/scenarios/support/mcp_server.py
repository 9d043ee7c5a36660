"""The controllers' part with their table of tasks: MCPServer's and CCP's."""

import collections
import json
import os

from support.controller import quote, task, tasks_of

BATCH = 128


class McpServer:
    """Inserts its rows first, submits all batches of a job at once, and reads results as MCPServer does."""

    dialect = "uuid"

    def __init__(self, scenario):
        self.scenario = scenario
        self.controller = scenario.new_controller()
        self.notes = os.path.join(scenario.folder, "notes")
        self.codes = {}  # task id: the exit code that the task is to end with
        self.prepared = []
        self.batches = []

    def prepare(self, count):
        """Makes the rows. Every seventh task fails, every third one wants its output."""
        for first in range(0, count, BATCH):
            codes = [(3 if number % 7 == 0 else 0) for number in range(first, min(first + BATCH, count))]
            tasks = tasks_of(*(task(f"{quote(self.notes)} {code}", wants_output=number % 3 == 0, dialect=self.dialect)
                               for number, code in enumerate(codes)))
            self.codes.update(zip(tasks, codes))
            self.prepared.append(tasks)
            self.scenario.database.insert(tasks)

    def submit(self, share=1):
        """Sends so much of what is prepared and not sent."""
        count = -int(-len(self.prepared) * share // 1)
        self.batches += [self.controller.submit("noted", tasks) for tasks in self.prepared[:count]]
        del self.prepared[:count]

    def wait_for(self, share):
        """Until so much of the batches has been answered."""
        wanted = int(len(self.batches) * share)
        while sum(batch.done for batch in self.batches) < wanted:
            self.controller.pump(0.01)

    def read(self):
        """{task id: exit code}; a task without a result is fatal, as it is for MCPServer."""
        self.controller.wait(self.batches)
        read = {}
        for batch in self.batches:
            results = json.loads(batch.packets[0][1])["task_results"]
            for task_id, one in batch.tasks.items():
                result = results[task_id]
                read[task_id] = result["exitCode"]
                if one["wants_output"]:
                    self.scenario.assertEqual(result["stdout"], f"output of {task_id}")
                    self.scenario.assertEqual(result["stderr"], f"error of {task_id}")
            batch.results()  # one packet, strict JSON
        return read

    def runs(self):
        with open(self.notes, encoding="ascii") as notes:
            return collections.Counter(notes.read().split())


class Ccp(McpServer):
    """Takes the first packet of any kind for the end of a batch, and a task without a result for one that went well."""

    dialect = "task_uuid"

    def read(self):
        self.controller.wait(self.batches)
        for batch in self.batches:
            self.scenario.assertEqual(batch.names[0], "COMPLETE")
            results = json.loads(batch.packets[0][1])["task_results"]
            self.scenario.assertEqual(list(results), list(batch.tasks), "results are not of these ids")
        return super().read()
