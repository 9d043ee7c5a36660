"""Stop and restart: nothing in hand is lost, and nobody waits for ever."""

import os
import signal
import time

from ledger import FOLDERS
from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until


class TestStopping(Scenario):
    def start_with_batch(self, count=1, **settings):
        """A worker with a batch in hand whose script waits at a gate, and a process to spare."""
        self.worker_ = self.start_worker({"gated": "gated"}, settings)
        self.gate_ = self.gate()
        self.batch = self.controller.submit("gated", tasks_of(*(task(f"'{self.gate_.path}'") for _ in range(count))))
        self.controller.wait_for_handles([self.batch])
        self.gate_.wait_for(1)
        return self.worker_

    def log_has(self, worker, text):
        wait_until(lambda: text in worker.log_text(), f"the log to say: {text}")

    def check_that_another_worker_runs_it(self):
        self.assertFalse(self.batch.done)
        attempts = {row["attempts"] for row in self.record.rows().values()}
        self.assertEqual(attempts, {0}, "a stop is no attempt")
        self.assertEqual([row["delivery"] for row in self.record.query("SELECT delivery FROM Batches")], ["interrupted"])
        self.gate_.open()
        self.start_worker({"gated": "gated"}, {"record": self.worker.settings["record"]})
        self.controller.wait([self.batch])
        self.assertEqual({(result["exitCode"], result["stdout"]) for result in self.batch.results().values()},
                         {(0, "through the gate")})

    def test_after_shutdown_timeout_a_batch_is_left_to_be_delivered_again(self):
        worker = self.start_with_batch(shutdown_timeout="1", grace_period="1")
        start = time.monotonic()
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0)
        self.figure(f"ended {time.monotonic() - start:.1f} s after TERM with shutdown_timeout 1")
        worker.assert_nothing_left()
        self.assertIn("shutdown_timeout", worker.log_text())
        self.check_that_another_worker_runs_it()

    def test_a_second_signal_leaves_it_at_once(self):
        worker = self.start_with_batch(shutdown_timeout="600", grace_period="1")
        worker.signal(signal.SIGTERM)
        self.log_has(worker, "signal 15")
        start = time.monotonic()
        worker.signal(signal.SIGINT)
        self.assertEqual(worker.wait(), 0)
        self.figure(f"ended {time.monotonic() - start:.1f} s after the second signal")
        worker.assert_nothing_left()
        self.check_that_another_worker_runs_it()

    def test_with_fail_interrupted_it_is_answered_as_failed(self):
        worker = self.start_with_batch(shutdown_timeout="0", grace_period="1", fail_interrupted="yes")
        worker.signal(signal.SIGTERM)
        self.controller.wait([self.batch])
        for result in self.batch.results().values():
            self.assertEqual(result["exitCode"], 1)
            self.assertIn("fail_interrupted", result["stderr"])
        self.assertEqual(worker.wait(), 0)

    def test_what_has_come_to_its_end_stays_so(self):
        worker = self.start_worker({"gated": "gated", "words": "words"}, {"shutdown_timeout": "0", "grace_period": "1"})
        gate = self.gate()
        # Two subsets: one ends, the other waits.
        tasks = tasks_of(task(f"'{gate.path}'"), task(f"'{self.folder}'"))
        self.touch("open")
        batch = self.controller.submit("gated", tasks)
        wait_until(lambda: len(gate.arrived()) == 1, "the first one to come to its gate")
        wait_until(lambda: list(tasks)[1] in os.listdir(self.folder), "the second one to be done")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0)
        self.assertFalse(batch.done)
        gate.open()
        self.start_worker({"gated": "gated"}, {"record": worker.settings["record"]})
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})

    def test_HUP_brings_new_functions_and_settings_and_loses_nothing(self):
        worker = self.start_with_batch()
        with open(worker.settings["client_modules"], "a", encoding="utf-8") as table:
            table.write("words = words\n")
        worker.signal(signal.SIGHUP)
        self.wait_for_functions(worker, ["words"])
        (result,) = self.controller.run("words", task("a b"))
        self.assertEqual(result["exitCode"], 0, result)
        # The batch that was in hand is finished and answered over the connection that it came by.
        self.gate_.open()
        self.controller.wait([self.batch])
        self.assertEqual({result["exitCode"] for result in self.batch.results().values()}, {0})
        self.assertEqual(self.server.status()["gated"][:2], (0, 0))

    def test_HUP_with_a_file_that_cannot_be_used_changes_nothing_and_says_why(self):
        worker = self.start_worker({"words": "words"})
        with open(worker.config, "a", encoding="utf-8") as config:
            config.write("\n[quire2]\n")
        worker.signal(signal.SIGHUP)
        self.log_has(worker, "the settings stay as they were")
        self.assertIn(f"{worker.config}:", worker.log_text())
        self.assertEqual(self.controller.run("words", task("a"))[0]["exitCode"], 0)

    def test_HUP_tells_which_settings_hold_only_after_a_start(self):
        worker = self.start_worker({"words": "words"})
        worker.settings["max_attempts"] = "7"
        worker.settings["log_level"] = "debug"
        worker.write_config()
        worker.signal(signal.SIGHUP)
        self.log_has(worker, "HUP: new settings")
        self.assertIn("max_attempts: the new value 7 holds when the worker is started anew; until then it is 2",
                      worker.log_text())
        self.assertNotIn("log_level: the new value", worker.log_text())

    def test_HUP_takes_a_function_away_and_its_batch_in_hand_is_still_answered(self):
        worker = self.start_with_batch()
        with open(worker.settings["client_modules"], "w", encoding="utf-8") as table:
            table.write("[supportedBatchCommands]\nwords = words\n")
        worker.signal(signal.SIGHUP)
        self.wait_for_functions(worker, ["words"])
        self.gate_.open()
        self.controller.wait([self.batch])
        self.assertEqual({result["exitCode"] for result in self.batch.results().values()}, {0})
        wait_until(lambda: not self.server.is_offered("gated"), "the function to be withdrawn")

    def test_many_HUPs_under_load_lose_nothing(self):
        worker = self.start_worker({"words": "words", "pids": "pids"})
        batches = [self.controller.submit("words", tasks_of(*(task("a") for _ in range(20)))) for _ in range(60)]
        hups = 0
        while not all(batch.done for batch in batches):
            worker.signal(signal.SIGHUP)
            hups += 1
            self.controller.pump(0.02)
        for batch in batches:
            self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})
        self.figure(f"{hups} HUPs during {len(batches)} batches")

    def test_QUIT_tells_what_every_thread_and_child_does(self):
        worker = self.start_with_batch()
        worker.signal(signal.SIGQUIT)
        self.log_has(worker, "main loop")
        text = worker.log_text().partition("QUIT")[2]
        for what in (self.batch.handle.decode(), "job server 127.0.0.1:", "module gated: host", ", pid ", "record "):
            self.assertIn(what, text)
        self.gate_.open()
        self.controller.wait([self.batch])
