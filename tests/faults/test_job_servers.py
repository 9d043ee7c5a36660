"""The job server goes, in every way it can, and comes back."""

import os
import socket
import time

from ledger import LONG
from proxy import Proxy
from support.controller import Controller, task, tasks_of
from support.job_server import JobServer
from support.scenario import Scenario
from support.waiting import wait_until

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class TestJobServers(Scenario):
    def run_one(self, controller=None):
        (result,) = (controller or self.controller).run("words", task("a"))
        self.assertEqual(result["exitCode"], 0, result)

    def identifiers(self):
        """What gearmand's admin protocol tells of those who offer functions."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as admin:
            admin.sendall(b"workers\n")
            text = b""
            while not text.endswith(b".\n"):
                text += admin.recv(65536)
        return [line for line in text.decode().splitlines() if line.endswith(" words")]

    def test_killed_while_idle_identifier_and_functions_are_there_again(self):
        worker = self.start_worker({"words": "words"})
        self.run_one()
        start = time.monotonic()
        self.server.kill()
        self.server.start()
        self.wait_for_functions(worker, ["words"])
        self.figure(f"functions there again after {time.monotonic() - start:.1f} s")
        self.run_one(self.new_controller())
        self.assertTrue(any("quire@" in line for line in self.identifiers()), self.identifiers())

    def test_killed_in_the_middle_of_a_batch_which_is_run_once(self):
        worker = self.start_worker({"gated": "gated", "words": "words"}, {"workers": "4"},
                                   {"gated": {"concurrent_instances": "4"}})
        gate = self.gate()
        tasks = tasks_of(*(task(f"'{gate.path}'") for _ in range(3)))
        self.controller.wait_for_handles([self.controller.submit("gated", tasks)])
        gate.wait_for(1)
        self.server.kill()
        self.server.start()
        self.wait_for_functions(worker, ["gated"])
        # The controller sends it once more while the first run goes on: it is waited for, not started twice.
        again = self.new_controller().submit("gated", tasks)
        wait_until(lambda: self.server.running("gated") == 1, "the batch to be taken again")
        arrived = gate.arrived()
        gate.open()
        self._controllers[-1].wait([again])
        self.assertEqual({result["stdout"] for result in again.results().values()}, {"through the gate"})
        rows = self.record.rows()
        self.assertEqual({row["attempts"] for row in rows.values()}, {1})
        self.assertLessEqual(set(arrived), set(rows))
        wait_until(lambda: [row[0] for row in self.record.query("SELECT delivery FROM Batches ORDER BY batch")]
                   == ["undelivered", "delivered"], "the deliveries to be recorded")

    def test_what_was_delivered_is_recorded(self):
        self.start_worker({"words": "words"})
        for _ in range(5):
            self.run_one()
        wait_until(lambda: self.record.query("SELECT count(*) FROM Batches WHERE delivery = 'delivered'")[0][0] == 5,
                   "five deliveries to be recorded")

    def test_half_open_connections_are_noticed_and_replaced(self):
        proxy = Proxy(self.server.port)
        self.addCleanup(proxy.close)
        worker = self.start_worker({"gated": "gated", "words": "words"},
                                   {"gearman_servers": f"127.0.0.1:{proxy.port}", "job_server_timeout": "1"},
                                   {"gated": {"concurrent_instances": "4"}})
        self.run_one()
        # While idle.
        start = time.monotonic()
        proxy.black_hole()
        wait_until(lambda: "does not answer" in worker.log_text(), "the worker to notice")
        wait_until(lambda: proxy.connections >= 1, "a new connection")
        self.figure(f"noticed after {time.monotonic() - start:.1f} s with job_server_timeout 1")
        self.run_one()
        # In the middle of a batch: the job server still believes in the old connection, and nothing comes from
        # there; the controller gives up and sends the tasks again.
        gate = self.gate()
        tasks = tasks_of(task(f"'{gate.path}'"))
        lost = self.controller.submit("gated", tasks)
        gate.wait_for(1)
        lines = worker.log_text().count("does not answer")
        proxy.black_hole()
        gate.open()
        wait_until(lambda: worker.log_text().count("does not answer") > lines, "the worker to notice once more")
        again = self.new_controller().submit("gated", tasks)
        self._controllers[-1].wait([again])
        self.assertEqual(again.result()["stdout"], "through the gate")
        self.assertEqual(self.record.row(next(iter(tasks)))["attempts"], 1)
        self.assertFalse(lost.done)
        self.assertIn("undelivered", [row[0] for row in self.record.query("SELECT delivery FROM Batches")])

    def test_down_for_long_costs_next_to_nothing(self):
        worker = self.start_worker({"words": "words"})
        self.run_one()
        self.server.kill()
        wait_until(lambda: "trying again" in worker.log_text(), "the worker to notice")
        outage = 60 if LONG else 5
        before = processor_seconds(worker.pid)
        time.sleep(outage)  # an outage is a time
        share = (processor_seconds(worker.pid) - before) / outage
        self.figure(f"{100 * share:.2f} % of a core while it was down for {outage} s")
        self.assertLess(share, 0.01)
        self.server.start()
        self.wait_for_functions(worker, ["words"])
        self.run_one(self.new_controller())

    def test_of_two_servers_one_is_dead_and_the_other_served(self):
        os.makedirs(os.path.join(self.folder, "second"))
        second = JobServer(os.path.join(self.folder, "second"))
        self.addCleanup(second.stop)
        self.start_worker({"words": "words"}, {"gearman_servers": f"{self.server.address},{second.address}"})
        wait_until(lambda: second.is_offered("words"), "both servers to have the function")
        other = Controller(second.port)
        self.addCleanup(other.close)
        for controller in (self.controller, other):
            self.run_one(controller)
        self.server.kill()
        times = []
        for _ in range(50):
            start = time.monotonic()
            self.run_one(other)
            times.append(time.monotonic() - start)
        self.figure(f"longest batch at the other server {1000 * max(times):.0f} ms")
        self.server.start()
        self.wait_for_functions(self.worker, ["words"])
        self.run_one(self.new_controller())
