"""The metrics' address: what Prometheus reads, whether the worker is well and ready, and the dashboard."""

import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until
from support.worker import BUILD

DASHBOARD = os.path.join(os.path.dirname(__file__), "..", "..", "etc", "grafana", "quire.json")
SHIPPED = os.path.join(BUILD, "lib", "quire", "clientScripts")
LABELS = r'\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\}'
SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)({LABELS})? (\S+)")


COUNTS = r"""
from prometheus_client import Counter, Histogram
things = Counter("things", "Things, with \\ and\na second line", ["kind"])
sizes = Histogram("sizes", "Their sizes", buckets=(1, 10))

def call(jobs):
    for job in jobs:
        with job.JobContext():
            things.labels('a "b" \\ c\nd').inc()
            sizes.observe(100)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse(text):
    """{name with labels: value}. Fails where the text is not Prometheus's exposition format."""
    assert text.endswith("\n")
    samples, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"{name} has two types"
            assert kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, f"not a sample: {line!r}"
            family = re.sub("_(bucket|sum|count)$", "", match[1])
            kind = types.get(family) if types.get(family) == "histogram" else types.get(match[1])
            assert kind, f"no type before {line!r}"
            assert match[1] + (match[2] or "") not in samples, f"twice: {line!r}"
            samples[match[1] + (match[2] or "")] = float(match[3])
    return samples


class TestMetrics(Scenario):
    def start(self, functions=("hello",), **settings):
        self.port = free_port()
        worker = self.start_worker({function: "hello" for function in functions},
                                   {"metrics_address": f"127.0.0.1:{self.port}", **settings}, folders=[SHIPPED])
        # Functions are offered by a thread of its own, which may come first.
        wait_until(lambda: f"metrics: on http://127.0.0.1:{self.port}/" in worker.log_text(), "the address to listen")
        return worker

    def get(self, path):
        """(status, text)"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        status, text = self.get("/metrics")
        self.assertEqual(status, 200, text)
        return parse(text)

    def test_tasks_are_counted_under_archivematicas_names_from_zero_on(self):
        self.start(functions=("hello", "other_v0.0"))
        before = self.metrics()
        for function in ("hello", "other_v0.0"):
            for name in ("job_total", "job_error_total", "job_success_timestamp", "job_error_timestamp",
                         "task_execution_time_seconds_count"):
                self.assertEqual(before[f'mcpclient_{name}{{script_name="{function}"}}'], 0)
        self.controller.run("hello", task("World"), task(""), task("World"))
        after = self.metrics()
        self.assertEqual(after['mcpclient_job_total{script_name="hello"}'], 3)
        self.assertEqual(after['mcpclient_job_error_total{script_name="hello"}'], 1)
        self.assertEqual(after['mcpclient_task_execution_time_seconds_bucket{script_name="hello",le="3600"}'], 1)
        self.assertEqual(after['mcpclient_job_total{script_name="other_v0.0"}'], 0)
        self.assertEqual(after["quire_host_starts_total"], 1)
        wait_until(lambda: self.metrics()['quire_replies_total{delivery="delivered"}'] == 1, "the reply to be confirmed")
        self.assertEqual(after["quire_record_healthy"], 1)
        self.assertEqual(after[f'quire_job_server_connected{{server="{self.server.address}"}}'], 1)

    def test_what_prometheus_itself_would_read(self):
        """By the parser of its own client, which takes a sample that stands in no family for one without a type."""
        odd = 'odd"na\\me'
        self.port = free_port()
        worker = self.make_worker({"hello": "hello", odd: "hello", "counts": "counts"},
                                  {"metrics_address": f"127.0.0.1:{self.port}"}, folders=[SHIPPED])
        with open(os.path.join(worker.scripts, "counts.py"), "w", encoding="utf-8") as script:
            script.write(COUNTS)
        worker.start()
        self.wait_for_functions(worker, ["hello", odd, "counts"])
        for function in ("hello", odd, "counts", "counts"):
            self.assertEqual(self.controller.run(function, task("World"))[0]["exitCode"], 0, function)
        text = self.get("/metrics")[1]
        parse(text)
        families = list(text_string_to_metric_families(text))
        self.assertGreater(len(families), 20)
        for family in families:
            self.assertIn(family.type, ("counter", "gauge", "histogram"), family.name)
            self.assertTrue(family.documentation, family.name)
        names = [family.name for family in families]
        self.assertEqual(sorted(set(names)), sorted(names))
        for what in ("HELP", "TYPE"):
            told = re.findall(rf"^# {what} (\S+)", text, re.MULTILINE)
            self.assertEqual((len(told), len(set(told))), (len(names), len(names)))
        samples = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
        self.assertEqual(samples["mcpclient_job_total", odd], 1)
        self.assertEqual(samples["things_total", 'a "b" \\ c\nd'], 2)
        self.assertEqual(samples["sizes_bucket", "+Inf"], 2)
        (things,) = (family for family in families if family.name == "things")
        self.assertEqual(things.documentation, "Things, with \\ and\na second line")

    def test_batches_in_hand_and_the_prefix_of_ccp(self):
        self.port = free_port()
        gate = self.gate()
        self.start_worker({"gated": "gated"}, {"metrics_address": f"127.0.0.1:{self.port}", "metrics_prefix": "worker_"})
        batch = self.controller.submit("gated", tasks_of(*[task(gate.path) for _ in range(8)]))
        gate.wait_for(2)
        during = self.metrics()
        self.assertEqual((during["quire_batches_in_hand"], during["quire_subsets_running"]), (1, 2))
        self.assertGreater(during["quire_tasks_waiting"], 0)
        gate.open()
        self.controller.wait([batch])
        self.assertEqual(self.metrics()['worker_job_total{script_name="gated"}'], 8)

    def test_every_metric_of_the_dashboard_is_one_that_the_worker_exposes(self):
        self.start()
        with open(DASHBOARD, encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        asked += [variable["query"]["query"] for variable in dashboard["templating"]["list"]
                  if isinstance(variable["query"], dict)]
        names = {name for text in asked for name in re.findall(r"\b(?:mcpclient|quire)_\w+", text)}
        self.assertGreater(len(names), 15)
        exposed = {name.partition("{")[0] for name in self.metrics()}
        self.assertEqual(names - exposed, set())

    def test_healthy_and_ready(self):
        self.port = free_port()
        self.server.kill()
        worker = self.make_worker({"hello": "hello"}, {"metrics_address": f"127.0.0.1:{self.port}"}).start()
        wait_until(lambda: "metrics: on http://" in worker.log_text(), "the address")
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        status, text = self.get("/readyz")
        self.assertEqual((status, text.splitlines()), (503, ["The worker is connected to no job server.", "record: healthy"]))
        self.server.start()
        wait_until(lambda: self.get("/readyz") == (200, "ready\nrecord: healthy\n"), "the worker to be ready")
        self.assertEqual(self.get("/other")[0], 404)

    def test_a_record_that_cannot_be_written_is_told_and_the_worker_stays_ready(self):
        record = os.path.join(self.folder, "corrupt.sqlite")
        with open(record, "w", encoding="utf-8") as file:
            file.write("A letter to the archivist. " * 1000)
        self.start(record=record)
        self.assertEqual(self.controller.run("hello", task("World"))[0]["exitCode"], 0)
        metrics = self.metrics()
        self.assertEqual(metrics["quire_record_healthy"], 0)
        self.assertGreater(metrics["quire_record_backlog_entries"], 0)
        status, text = self.get("/readyz")
        self.assertEqual(status, 200)
        self.assertIn("cannot be written: file is not a database", text)

    def test_an_address_that_is_taken_is_told_and_tried_again_and_the_worker_runs(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            self.port = other.getsockname()[1]
            worker = self.start_worker({"hello": "hello"}, {"metrics_address": f"127.0.0.1:{self.port}"}, folders=[SHIPPED])
            wait_until(lambda: f"metrics: cannot listen on 127.0.0.1:{self.port}: Address already in use"
                       in worker.log_text(), "the worker to tell of it")
            self.assertEqual(self.controller.run("hello", task("World"))[0]["exitCode"], 0)
        wait_until(lambda: f"metrics: on http://127.0.0.1:{self.port}/" in worker.log_text(), "the address to be free")
        self.assertEqual(self.get("/healthz")[0], 200)

    def test_a_stop_with_a_slow_reader_connected_is_not_held_up(self):
        worker = self.start()
        with socket.create_connection(("127.0.0.1", self.port)) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x")
            worker.signal(signal.SIGTERM)
            self.assertEqual(worker.wait(), 0)
