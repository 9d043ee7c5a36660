"""What goes over the wire: both dialects, bad input, sizes, and nothing that a controller does not expect."""

import json
import uuid

from support.controller import encode, quote, task, tasks_of
from support.record import as_bytes
from support.scenario import Scenario
from support.waiting import wait_until

ID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


class TestWire(Scenario):
    def setUp(self):
        super().setUp()
        self.start_worker({"words_v0.0": "words", "size": "size", "mix_native": "mix_native"})

    def words(self, arguments, **others):
        """What job.args[1:] was for these arguments."""
        (result,) = self.controller.run("words_v0.0", task(arguments, **others))
        self.assertEqual(result["exitCode"], 0, result)
        return json.loads(result["stdout"])[1:]

    def test_both_dialects_are_answered(self):
        for dialect in ("uuid", "task_uuid"):
            with self.subTest(dialect):
                (result,) = self.controller.run("words_v0.0", task("a 'b c'", dialect=dialect))
                self.assertEqual(json.loads(result["stdout"]), ["words_v0.0", "a", "b c"])

    def test_the_key_of_the_map_is_the_id_and_the_inner_one_is_never_read(self):
        for inner in ({"uuid": OTHER}, {"task_uuid": OTHER}, {"uuid": 5}, {}):
            with self.subTest(inner):
                batch = self.controller.submit("words_v0.0", {ID: {"arguments": "%taskUUID%", **inner}})
                self.controller.wait([batch])
                self.assertEqual(json.loads(batch.results()[ID]["stdout"])[1:], [ID])

    def test_missing_wants_output_means_true(self):
        batch = self.controller.submit("words_v0.0", {ID: {"uuid": ID, "arguments": "x"}})
        self.controller.wait([batch])
        self.assertIn("stdout", batch.results()[ID])

    def test_arguments_take_the_three_steps_in_their_order(self):
        self.assertEqual(self.words(r"""a\`b "a\`b" 'a\`b' "a\$b" "" a#b # c"""),
                         ["a`b", "a`b", "a`b", r"a\$b", "", "a#b", "#", "c"])
        self.assertEqual(self.words("%sharedPath%x '%jobCreatedDate%'", created="2024-08-04T21:34:35+00:00"),
                         [self.worker.settings["shared_directory"] + "x", "2024-08-04 21:34:35+00:00"])

    def test_a_function_is_known_by_its_name_in_lower_case(self):
        self.worker.stop()
        worker = self.make_worker({"Words_V9.9": "words"}).start()
        self.wait_for_functions(worker, ["words_v9.9"])
        (result,) = self.controller.run("words_v9.9", task("x"))
        self.assertEqual(json.loads(result["stdout"]), ["words_v9.9", "x"])

    def test_a_workload_without_any_task_id_fails_and_sends_no_exception(self):
        for workload in (b"not JSON", b"[]", b'"text"', b"{}", b'{"tasks": {}}', b'{"tasks": []}',
                         b'{"tasks": null}', b'{"other": {"tasks": {"a": {}}}}', b"\xff\xfe", b"{",
                         b'{"tasks": {', b"[" * 100000, b'{"x": ' + b"[" * 100000, b" "):
            with self.subTest(workload[:40]):
                batch = self.controller.submit("words_v0.0", workload=workload)
                self.controller.wait([batch])
                self.assertEqual(batch.packets, [("FAIL", b"")])
        self.assertEqual(self.words("still here"), ["still", "here"])

    def check_that_only_the_first_fails(self, bad, reason):
        """bad: JSON of a task. A good one in the same batch is answered well."""
        good = json.dumps(task("fine"))
        batch = self.controller.submit(
            "words_v0.0", {ID: {}, OTHER: {}}, workload=f'{{"tasks": {{"{ID}": {bad}, "{OTHER}": {good}}}}}'.encode())
        self.controller.wait([batch])
        results = batch.results()
        self.assertEqual(results[ID]["exitCode"], 1)
        self.assertRegex(results[ID]["stderr"], reason)
        self.assertEqual(results[OTHER]["exitCode"], 0, results[OTHER])
        self.assertEqual(json.loads(results[OTHER]["stdout"])[1:], ["fine"])

    def test_a_bad_task_fails_alone_and_says_why(self):
        for bad, reason in ((r'"text"', "object"), ("5", "object"), ("[]", "object"), ("null", "object"),
                            ('{"arguments": 5}', "arguments"), ("{}", "arguments"),
                            ('{"arguments": "", "wants_output": "yes"}', "wants_output"),
                            ('{"arguments": "", "createdDate": 5}', "createdDate"),
                            ('{"arguments": "", "createdDate": "yesterday"}', "createdDate"),
                            (r'{"arguments": "\"x"}', "No closing quotation"),
                            (r'{"arguments": "x\\"}', "No escaped character")):
            with self.subTest(bad):
                self.check_that_only_the_first_fails(bad, reason)

    def test_what_stops_being_json_after_an_id_is_answered_with_the_reason(self):
        for rest in (b"", b"}", b"} }", b', "wants_output": tru}}}', b', "x": "\xff"}}}', b', "x": "\\ud800"}}}',
                     b', "x": ' + b"[" * 100000):
            with self.subTest(rest[:40]):
                start = f'{{"tasks": {{"{ID}": {{"arguments": "x"'.encode()
                batch = self.controller.submit("words_v0.0", {ID: {}}, workload=start + rest)
                self.controller.wait([batch])
                result = batch.results()[ID]
                self.assertEqual(result["exitCode"], 1)
                self.assertNotEqual(result["stderr"], "")

    def test_an_id_that_stands_twice_is_answered_once_and_has_failed(self):
        one = '{"arguments": "x"}'
        batch = self.controller.submit(
            "words_v0.0", {ID: {}}, workload=f'{{"tasks": {{"{ID}": {one}, "{ID}": {one}}}}}'.encode())
        self.controller.wait([batch])
        self.assertEqual(batch.results()[ID]["exitCode"], 1)
        self.assertRegex(batch.results()[ID]["stderr"], "more than once")

    def test_unknown_fields_are_ignored_however_they_look(self):
        (result,) = self.controller.run(
            "words_v0.0", task("x", priority=None, extra={"arguments": "y", "list": [1, [2.5e300, {"a": True}]]}))
        self.assertEqual(json.loads(result["stdout"])[1:], ["x"])

    def test_100000_tasks_in_one_batch(self):
        ids = [str(uuid.UUID(int=number + 1)) for number in range(100000)]
        tasks = {task_id: {"uuid": task_id, "arguments": f"%taskUUID% {number} 0", "wants_output": number % 2 == 0}
                 for number, task_id in enumerate(ids)}
        batch = self.controller.submit("mix_native", tasks)
        self.controller.wait([batch], guard=400)
        results = batch.results()
        for number, task_id in enumerate(ids):
            self.assertEqual(results[task_id]["exitCode"], 0)
            if number % 2 == 0:
                self.assertEqual(results[task_id]["stdout"], f"mix_native {task_id} {task_id} {number}")
        self.assertEqual(self.record.query("SELECT count(*) FROM Tasks WHERE exitCode = 0")[0][0], 100000)

    def test_a_workload_of_100_mib(self):
        word = "0123456789abcdef" * 65536
        tasks = tasks_of(*(task(word, wants_output=True) for _ in range(100)))
        batch = self.controller.submit("size", tasks)
        self.assertGreater(len(batch.workload), 100 << 20)
        self.controller.wait([batch], guard=400)
        self.assertEqual({result["stdout"] for result in batch.results().values()}, {"1048576\n"})

    def test_a_reply_of_many_mib_arrives_whole(self):
        # 24 MiB of workload and as much reply: past every socket buffer.
        words = {f"{number:08d}-0000-4000-8000-000000000000": f"{number} " + "\u00e9" * 500000 for number in range(24)}
        batch = self.controller.submit("mix_native", {
            task_id: {"uuid": task_id, "arguments": f"x {quote(word)} 0"} for task_id, word in words.items()})
        self.controller.wait([batch])
        for task_id, result in batch.results().items():
            self.assertEqual(result["stdout"], f"mix_native {task_id} x {words[task_id]}")

    def test_a_background_job_runs_and_is_recorded(self):
        (one,) = tasks = tasks_of(task("%taskUUID% 'in the background' 7"))
        batch = self.controller.submit("mix_native", tasks, background=True)
        self.controller.wait([batch])
        wait_until(lambda: self.server.waiting() == 0, "the background job to end")
        row = self.record.row(one)
        self.assertEqual(row["exitCode"], 7)
        self.assertEqual(as_bytes(row["stdOut"]).decode(), f"mix_native {one} {one} in the background")

    def test_ids_that_are_no_uuids_are_answered_under_their_own_name(self):
        names = ["x", "\u00e9\u65e5", "with \"quotes\" and \\", "line\nbreak", "a" * 5000]
        batch = self.controller.submit("words_v0.0", {name: task("x") for name in names})
        self.controller.wait([batch])
        self.assertEqual({result["exitCode"] for result in batch.results().values()}, {0})

    def test_workloads_without_ascii_escapes_are_read_as_well(self):
        tasks = tasks_of(task("'\u00e9 \U0001f4dc'"))
        for workload in (encode(tasks), json.dumps({"tasks": tasks}, ensure_ascii=False).encode()):
            batch = self.controller.submit("words_v0.0", tasks, workload=workload)
            self.controller.wait([batch])
            self.assertEqual(json.loads(batch.result()["stdout"])[1:], ["\u00e9 \U0001f4dc"])
