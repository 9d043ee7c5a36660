"""quire_host.py, driven over its control socket by a worker's side written for these tests.

One file although it is long: it mirrors one room, quire_host.py, which is one file as well.
"""

import ast
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from worker_side import GUARD, HERE, HOST, NO_JOB, PYTHON, SCRIPTS, Host, job

signal.alarm(10 * GUARD)  # whatever hangs, the tests end


def script(name):
    return os.path.join(SCRIPTS, name + ".py")


def plain(name, **options):
    return Host(os.path.basename(name), script(name), **options)


def run(name, *jobs):
    """One subset of a script in a host of its own."""
    with plain(name) as host:
        return host.call(list(jobs))


def state_of(pid):
    """As proc(5) has it: R for a process that runs, S for one that waits, Z and X for one that has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


class Loading(unittest.TestCase):
    def hello(self, name, **options):
        with plain(name, **options) as host:
            hello = host.hello
        self.assertEqual(host.process.returncode, 0 if hello.startswith("ready") else 1)
        return hello

    def test_a_script_tells_how_it_may_be_run(self):
        for name, told in (
            ("archivematica_style", "concurrent_instances=4 independent=0 fresh=0"),
            ("members", "concurrent_instances=0 independent=0 fresh=0"),
            ("misbehaves", "concurrent_instances=8 independent=1 fresh=0"),
            ("fresh", "concurrent_instances=0 independent=0 fresh=1"),
        ):
            self.assertEqual(self.hello(name), "ready interface=1 " + told)

    def hello_of(self, text):
        """What the host says of a script with this text."""
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "written.py")
            with open(file, "w") as out:
                out.write(text + "\ndef call(jobs): pass\n")
            with Host("written", file) as host:
                return host.hello

    def test_a_script_that_leaves_a_thread_behind_is_not_to_be_forked(self):
        thread = (
            "import threading\n"
            "threading.Thread(target=threading.Event().wait, name='watch', daemon=True).start()\n"
        )
        hello = self.hello_of(thread)
        self.assertTrue(hello.endswith(" fresh=1 1 thread ('watch') ran when it had been loaded"), hello)
        # A script that says itself how it may be run knows best.
        self.assertTrue(self.hello_of(thread + "def fresh_process(): return False").endswith(" fresh=0"))
        joined = "import threading\nmany = [threading.Thread(target=print) for _ in range(20)]\n"
        joined += "for one in many: one.start()\nfor one in many: one.join()\n"
        self.assertTrue(self.hello_of(joined).endswith(" fresh=0"))

    def test_a_script_that_leaves_a_connection_open_is_not_to_be_forked(self):
        hello = self.hello_of("import socket\npair = socket.socketpair()")
        self.assertRegex(hello, r" fresh=1 it had a socket open \(descriptor \d+, descriptor \d+\) when it had been")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            hello = self.hello_of(f"import socket\nheld = socket.create_connection(('127.0.0.1', {port}))")
            self.assertIn(f" to 127.0.0.1:{port})", hello)
            closed = self.hello_of(f"import socket\nsocket.create_connection(('127.0.0.1', {port}))")
            self.assertTrue(closed.endswith(" fresh=0"), closed)

    def test_a_socket_for_datagrams_does_no_harm(self):
        hello = self.hello_of("import socket\nlog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)")
        self.assertTrue(hello.endswith(" fresh=0"), hello)

    def test_a_missing_library_is_named_with_the_line_that_wants_it(self):
        hello = self.hello("broken/missing_import")
        reason = "ModuleNotFoundError: No module named 'no_such_library'\n"
        self.assertTrue(hello.startswith("failed missing_import cannot be loaded: " + reason), hello)
        self.assertIn(f'File "{script("broken/missing_import")}", line 1', hello)
        self.assertNotIn("quire_host.py", hello)
        self.assertNotIn("importlib", hello)

    def test_a_syntax_error_is_told_with_file_and_line(self):
        where = f"cannot be loaded: {script('broken/syntax')}, line 2: "
        self.assertIn(where, self.hello("broken/syntax"))

    def test_a_script_that_ends_the_process_is_refused(self):
        reason = "ended its process with SystemExit('cannot run here') while it was loaded"
        self.assertIn(reason, self.hello("broken/exits"))

    def test_what_is_not_a_client_script_is_refused(self):
        told = self.hello("broken/no_call")
        self.assertRegex(told, r"^failed no_call \(.*no_call\.py\) has no function call\(jobs\)\.$")

    def test_concurrent_instances_must_be_a_number_of_at_least_one(self):
        told = self.hello("broken/no_instances")
        self.assertIn("concurrent_instances() gave 0, and must give at least 1", told)
        told = self.hello("broken/instances_raise")
        self.assertIn("concurrent_instances() failed: ZeroDivisionError", told)

    def test_a_missing_file_is_told(self):
        self.assertIn("FileNotFoundError", self.hello("broken/not_there"))

    def test_a_long_reason_stays_below_a_packet(self):
        hello = self.hello("broken/long_reason")
        self.assertLess(len(hello), 65536)
        self.assertTrue(hello.startswith("failed long_reason cannot be loaded: RuntimeError: xxx"))
        self.assertTrue(hello.endswith("xxx"))

    def test_an_import_name_is_found_by_the_path_and_a_real_client_job_wins(self):
        package = os.path.join(SCRIPTS, "package")
        with Host("clientScripts.dotted", path=[package, os.path.join(package, "lib")]) as host:
            self.assertTrue(host.hello.startswith("ready "), host.hello)
            self.assertEqual(host.call([job()]).ledger.ended[0].output, b"from the library the real one\n")

    def test_an_import_name_that_is_not_found_is_told(self):
        with Host("clientScripts.dotted") as host:
            self.assertIn("failed clientScripts.dotted cannot be loaded: ModuleNotFoundError", host.hello)

    def test_job_is_offered_under_every_layout_of_archivematica(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "layouts.py")
            with open(file, "w") as out:
                out.write(
                    "from client.job import Job\n"
                    "from archivematica.MCPClient.client.job import Job as later\n"
                    "from worker.client.job import Job as ccp\n"
                    "def call(jobs):\n"
                    "    for job in jobs: job.print_output(type(job) is Job is later is ccp)\n"
                )
            with Host("layouts", file) as host:
                self.assertEqual(host.call([job()]).ledger.ended[0].output, b"True\n")

    def test_the_paths_come_first_in_their_order_and_our_own_folder_never(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "paths.py")
            with open(file, "w") as out:
                out.write("import sys\ndef call(jobs): jobs[0].print_output(':'.join(sys.path))\n")
            with Host("paths", file, path=["/first", "/second"]) as host:
                paths = host.call([job()]).ledger.ended[0].output.decode().rstrip().split(":")
        self.assertEqual(paths[:3], ["/first", "/second", folder])
        self.assertNotIn(os.path.dirname(os.path.realpath(HOST)), paths)

    def test_a_script_named_like_a_module_in_use_does_not_replace_it(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "struct.py")
            with open(file, "w") as out:
                out.write("import struct\ndef call(jobs): jobs[0].print_output(struct.calcsize('i'))\n")
            with Host("struct", file) as host:
                self.assertEqual(host.call([job()]).ledger.ended[0].output, b"4\n")

    def test_the_host_is_valid_for_python_3_8(self):
        with open(HOST) as file:
            ast.parse(file.read(), feature_version=(3, 8))

    def test_without_a_worker_it_says_who_starts_it(self):
        ended = subprocess.run([PYTHON, HOST, "x"], stderr=subprocess.PIPE, timeout=GUARD)
        self.assertEqual(ended.returncode, 64)
        self.assertIn(b"started by quire", ended.stderr)


class Jobs(unittest.TestCase):
    def style(self, *arguments):
        return run("archivematica_style", job(*arguments), job("report"))

    def test_the_members_are_those_of_archivematica(self):
        subset = run("members", job("one", "", b"caf\xc3\xa9 \xff", uuid=b"1b3c", capture_output=False))
        self.assertEqual(subset.ledger.ended[0].error, b"gi\n")
        self.assertEqual(subset.ledger.ended[0].output, b"all is well\ncaf\xc3\xa9 \xff")
        self.assertEqual(subset.ledger.ended[0].code, 179)

    def test_pyprint_can_be_handed_on(self):
        subset = self.style("report", "--number", "7")
        self.assertEqual(subset.ledger.ended[0].output, b"about handing on\na-b!\n")
        self.assertEqual(subset.ledger.ended[0].error, b"beware of handing on\n")
        self.assertEqual(subset.ledger.ended[0].code, 7)
        self.assertEqual(subset.ledger.ended[1].code, 0)

    def test_log_records_go_to_output_or_error_each_on_a_line(self):
        entry = self.style("log").ledger.ended[0]
        self.assertEqual(entry.output, b"info 1\nwarning\n")
        self.assertTrue(entry.error.startswith(b"error\nexception\nTraceback "), entry.error)
        self.assertTrue(entry.error.endswith(b"KeyError: 'gone'\n"))

    def test_the_handler_is_gone_after_the_scope(self):
        subset = run("archivematica_style", job("log"), job("log"))
        self.assertEqual(subset.ledger.ended[0].output, subset.ledger.ended[1].output)

    def test_a_logger_that_the_script_configures_serves_both(self):
        subset = run("misbehaves", job("own logging"), job("fine"))
        self.assertEqual(subset.ledger.ended[0].output, b"info\n")
        self.assertEqual(subset.stdout[0], b"own: debug\nown: info\nown: after the scope\n")

    def test_a_configuration_of_logging_does_not_cut_a_job_off_its_logger(self):
        text = (
            "import logging\n"
            "logger = logging.getLogger('archivematica.a')\n"
            "logger.setLevel(logging.INFO)\n"
            "from logging.config import dictConfig, fileConfig\n"
            "dictConfig({'version': 1})\n"  # disables the logger
            "def call(jobs):\n"
            "    for job in jobs:\n"
            "        with job.JobContext(logger=logger):\n"
            "            logger.info('first')\n"
            "            dictConfig({'version': 1, 'loggers': {'archivematica.a': {'level': 'INFO'}}})\n"
            "            logger.info('second')\n"
            "            dictConfig({'version': 1})\n"
            "            logger.error('third')\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "configures.py")
            with open(file, "w") as out:
                out.write(text)
            with Host("configures", file) as host:
                subset = host.call([job(), job()])
        for entry in subset.ledger.ended.values():
            self.assertEqual((entry.output, entry.error), (b"first\nsecond\n", b"third\n"))

    def test_an_exception_fails_its_job_and_the_next_goes_on(self):
        subset = self.style("raise")
        entry = subset.ledger.ended[0]
        self.assertEqual((entry.code, entry.output), (1, b"before\n"))
        self.assertTrue(entry.error.startswith(b"no such file\nTraceback (most recent call last):\n"))
        self.assertIn(b"archivematica_style.py", entry.error)
        self.assertNotIn(b"quire_host", entry.error)
        self.assertEqual(subset.ledger.ended[1].code, 0)
        self.assertTrue(subset.ledger.returned)

    def test_an_exception_without_text_fails_its_job(self):
        entry = run("misbehaves", job("bad str")).ledger.ended[0]
        self.assertEqual(entry.code, 1)
        self.assertTrue(entry.error.startswith(b"<Unprintable that cannot be told as text>\n"), entry.error)

    def test_scopes_are_not_needed(self):
        subset = run("misbehaves", job("without scopes", uuid=b"a"), job("x", uuid=b"b"))
        self.assertEqual(subset.ledger.kinds, b"EER")
        outputs = [entry.output for entry in subset.ledger.ended.values()]
        self.assertEqual(outputs, [b"no scope a\n", b"no scope b\n"])
        self.assertEqual(subset.ledger.ended[1].code, 3)

    def test_a_job_that_changed_after_its_scope_is_reported_again(self):
        subset = run("misbehaves", job("raise after"), job("x"), job("x"))
        self.assertEqual(subset.ledger.kinds, b"EEX")
        self.assertEqual(subset.ledger.ended[0].output, b"done\nand more\n")
        self.assertEqual(subset.ledger.ended[0].code, 0)
        # The second had not ended, but what it wrote is told.
        self.assertEqual(list(subset.ledger.ended), [0])
        self.assertEqual(subset.stdout[1], b"not in a scope\n")
        self.assertEqual(subset.stdout.last, NO_JOB)

    def test_bytes_stay_bytes(self):
        subset = run("misbehaves", job("invalid bytes"))
        self.assertEqual(subset.ledger.ended[0].output, b"\0 \xed\xb3\xbf \xe2\x82\xac \xed\xa0\x80 end")
        self.assertEqual(subset.ledger.ended[0].error, b"\0 \xfe end")
        self.assertEqual(subset.stdout[0], b"\0 \xfd\n\xfc\n")

    def test_a_mebibyte_comes_whole_by_every_way(self):
        subset = run("misbehaves", job("much"), job("fine"))
        self.assertEqual(subset.ledger.ended[0].output, b"o" * 2**20)
        self.assertEqual(subset.ledger.ended[0].error, b"e" * 2**20)
        self.assertEqual(subset.stdout[0], b"p" * 2**20)
        self.assertEqual(subset.stderr[0], b"q" * 2**20)
        self.assertTrue(subset.ledger.returned)

    def test_a_code_that_is_no_number_is_not_success(self):
        subset = run("misbehaves", *[job("odd values", value) for value in ("None", "text", "large")])
        self.assertEqual([subset.ledger.ended[i].code for i in range(3)], [0, 1, 2**63 - 1])


class Capture(unittest.TestCase):
    def test_what_is_printed_belongs_to_the_job_whose_scope_is_open(self):
        subset = run("misbehaves", job("fine", uuid=b"a"), job("print between"), job("fine", uuid=b"c"))
        self.assertEqual(subset.stdout[0], b"captured of a\n")
        self.assertEqual(subset.stdout[1], b"")
        self.assertEqual(subset.stdout[NO_JOB], b"between\n")
        self.assertEqual(subset.stderr[NO_JOB], b"between, stderr\n")
        self.assertEqual(subset.stdout[2], b"captured of c\n")
        self.assertEqual(subset.stdout.last, NO_JOB)
        self.assertEqual(subset.ledger.ended[1].output, b"own\n")

    def test_a_line_without_end_belongs_to_its_job(self):
        subset = run("misbehaves", job("half a line"), job("fine", uuid=b"b"))
        self.assertEqual((subset.stdout[0], subset.stdout[1]), (b"half a line", b"captured of b\n"))

    def test_printed_lines_keep_their_order_with_those_of_a_program(self):
        subset = run("misbehaves", job("lines in turn"))
        self.assertEqual(subset.stdout[0], b"one\ntwo\nthree\n")

    def test_programs_inherit_stdout_and_stderr(self):
        subset = run("archivematica_style", job("report"), job("inherit"))
        self.assertEqual(subset.stdout[1], b"from sh\n")
        self.assertEqual(subset.stderr[1], b"from sh to stderr\n")
        self.assertEqual(subset.ledger.ended[1].output, b"")

    def test_what_c_code_prints_belongs_to_its_job(self):
        subset = run("misbehaves", job("stdio"), job("fine", uuid=b"b"))
        self.assertEqual((subset.stdout[0], subset.stdout[1]), (b"from C\n", b"captured of b\n"))

    def test_an_inner_scope_hands_back_to_the_outer_one(self):
        subset = run("misbehaves", job("nested"), job("fine", uuid=b"b"))
        self.assertEqual(subset.stdout[0], b"outer\ninner\nouter again\n")
        self.assertEqual(subset.stdout[1], b"captured of b\n")

    def test_closed_streams_harm_their_own_subset_only(self):
        with plain("misbehaves") as host:
            subset = host.call([job("close streams"), job("redirect"), job("replace stdout")])
            self.assertTrue(subset.ledger.returned, subset.ledger.escaped)
            self.assertEqual(subset.ledger.ended[0].output, b"closed\n")
            self.assertEqual(subset.stdout.last, NO_JOB)
            self.assertEqual(subset.ledger.ended[2].output, b"own\n")
            self.assertEqual(host.call([job("fine", uuid=b"next")]).stdout[0], b"captured of next\n")

    def test_a_pipe_made_non_blocking_loses_no_marker(self):
        with plain("misbehaves") as host:
            subset = host.start([job("nonblocking"), job("fine", uuid=b"b")], drained=False)
            subset.wait_for_output(b"full", 2)
            while state_of(subset.pid) == "R":  # until it waits for room for its marker
                os.sched_yield()
            subset.drain()
            host.end_of(subset)
        self.assertEqual(len(subset.stdout[0]), int(subset.ledger.ended[0].output))
        self.assertEqual(subset.stdout[1], b"captured of b\n")


class Ends(unittest.TestCase):
    """How a subset may end, and that the host and the other subsets go on."""

    def end(self, *arguments):
        """A subset of a good job, one that does as told, and another; the host is tried afterwards."""
        with plain("misbehaves") as host:
            subset = host.call([job("fine", uuid=b"a"), job(*arguments), job("fine", uuid=b"c")])
            after = host.call([job("fine")], 2)
            self.assertTrue(after.ledger.returned)
        return subset

    def assert_broken_off(self, subset, status):
        self.assertEqual(subset.status, status)
        self.assertFalse(subset.ledger.returned)
        self.assertEqual(subset.ledger.ended[0].output, b"fine\n")
        self.assertNotIn(2, subset.ledger.ended)
        self.assertEqual(subset.stdout.last, 1, "the last marker does not tell the job that was worked on")

    def test_exit_ends_the_subset_with_its_code(self):
        for code, status in (("2", 2), ("0", 0), ("None", 0), ("-1", 255), ("300", 44), ("a reason", 1)):
            with self.subTest(code):
                subset = self.end("exit code", code)
                self.assert_broken_off(subset, ("exited", status))
                reason = r"^The script ended its process with SystemExit\(.*\)\.\nTraceback "
                self.assertRegex(subset.ledger.escaped, reason)
                self.assertIn("misbehaves.py", subset.ledger.escaped)
                self.assertNotIn("quire_host.py", subset.ledger.escaped)
                # It has no result, but what it wrote before is told.
                self.assertNotIn(1, subset.ledger.ended)
                self.assertEqual(subset.stdout[1], b"before the exit\n")

    def test_bad_arguments_for_argparse_are_told_by_the_job_that_had_them(self):
        subset = run("archivematica_style", job("report"), job("report", "--number", "many"), job("report"))
        self.assertEqual(subset.status, ("exited", 2))
        self.assertIn(b"usage: archivematica_style.py", subset.stderr[1])
        self.assertIn(b"invalid int value: 'many'", subset.stderr[1])
        self.assertIn("SystemExit(2)", subset.ledger.escaped)

    def test_an_exit_that_the_script_catches_is_none(self):
        subset = run("misbehaves", job("catch the exit"), job("x"))
        self.assertTrue(subset.ledger.returned)
        results = [(entry.code, entry.output) for entry in subset.ledger.ended.values()]
        self.assertEqual(results, [(0, b"went on\n")] * 2)

    def test_an_exception_out_of_call_is_told(self):
        subset = run("misbehaves", job("raise after"), job("x"))
        self.assertEqual(subset.status, ("exited", 1))
        reason = r"(?s)^The script raised RuntimeError out of call\(\)\.\nTraceback .*: the transaction"
        self.assertRegex(subset.ledger.escaped, reason)

    def test_an_interrupt_ends_the_subset(self):
        subset = self.end("interrupt")
        self.assert_broken_off(subset, ("exited", 130))
        self.assertTrue(subset.ledger.escaped.startswith("The script was interrupted.\n"))

    def test_os_exit_is_no_return(self):
        self.assert_broken_off(self.end("os exit"), ("exited", 0))

    def test_a_crash_is_told_with_the_line_in_the_script(self):
        subset = self.end("segfault")
        self.assert_broken_off(subset, ("signalled", signal.SIGSEGV))
        self.assertRegex(subset.stderr[1], rb"(?s)Segmentation fault.*misbehaves\.py\", line \d+ in segfault")

    def test_what_was_printed_before_a_kill_is_there(self):
        subset = self.end("print then kill")
        self.assert_broken_off(subset, ("signalled", signal.SIGKILL))
        self.assertEqual(subset.stdout[1], b"about to be killed\n")

    def test_a_kill_from_outside_leaves_the_others_alone(self):
        with plain("misbehaves") as host:
            victim = host.start([job("wait")], 1)
            other = host.start([job("wait for term")], 2)
            victim.wait_for_output(b"waiting\n")
            other.wait_for_output(b"waiting\n")
            os.kill(victim.pid, signal.SIGKILL)
            self.assertEqual(host.end_of(victim).status, ("signalled", signal.SIGKILL))
            self.assertIsNone(other.status)
            host.signal(1, signal.SIGTERM)  # it has ended: nobody gets this
            host.signal(2, signal.SIGTERM)
            self.assertEqual(host.end_of(other).ledger.ended[0].output, b"got it\n")

    def test_a_signal_reaches_the_whole_process_group(self):
        with plain("misbehaves") as host:
            subset = host.start([job("sleep child")])
            subset.wait_for_output(b"waiting ")
            host.signal(1, signal.SIGTERM)
            # Its child has ended as well: the pipes are closed.
            self.assertEqual(host.end_of(subset).status, ("signalled", signal.SIGTERM))

    def test_closing_every_descriptor_costs_the_own_subset_only(self):
        subset = self.end("close everything")
        self.assertEqual(subset.status, ("exited", 1))
        self.assertFalse(subset.ledger.returned)
        self.assertIn(b"Bad file descriptor", subset.stderr[1])

    def test_a_ledger_that_is_full_is_whole_and_tells_it(self):
        subset = run("misbehaves", job("fine"), job("file size limit"))
        self.assertEqual(subset.status, ("exited", 1))
        self.assertEqual(subset.ledger.kinds, b"EX")
        self.assertIn("File too large", subset.ledger.escaped)

    def test_threads_left_behind_are_not_waited_for(self):
        subset = self.end("thread left")
        self.assertTrue(subset.ledger.returned)
        self.assertEqual(subset.status, ("exited", 0))

    def test_a_daemon_of_the_same_group_is_killed_with_its_subset(self):
        subset = self.end("grandchild")
        # It held the pipes and would have for ever: that they are closed, which end() waited for, tells its end.
        self.assertRegex(subset.ledger.ended[1].output, rb"^\d+\n$")
        self.assertTrue(subset.ledger.returned)

    def test_a_forked_child_that_returns_reports_nothing(self):
        subset = self.end("forked child returns")
        self.assertEqual(subset.ledger.kinds, b"EEER")
        entry = subset.ledger.ended[1]
        self.assertEqual((entry.code, entry.output), (0, b"written by the parent\n"))
        self.assertEqual(subset.stdout[2], b"captured of c\n")


class TheHost(unittest.TestCase):
    def test_every_subset_starts_from_the_freshly_loaded_state(self):
        with plain("state") as host:
            outputs = [host.call([job(), job()], number).ledger.ended for number in (1, 2)]
        first, second = (ended[0].output.decode().splitlines() for ended in outputs)
        self.assertEqual(first[0], second[0])
        self.assertTrue(first[0].startswith("1 "), first)
        self.assertTrue(first[0].endswith(" None <class '_io.TextIOWrapper'>"), first)
        self.assertTrue(first[1].startswith("SIG_DFL SIG_IGN set() "), first)
        self.assertTrue(second[1].startswith("SIG_DFL SIG_IGN set() "), second)
        self.assertNotEqual(first[1], second[1], "both drew the same random number")
        self.assertTrue(outputs[1][1].output.startswith(b"2 "))

    def test_a_subset_has_no_descriptors_but_its_own(self):
        with plain("misbehaves") as host:
            other = host.start([job("wait")], 7)
            lines = host.call([job("descriptors")], 8).ledger.ended[0].output.decode().splitlines()
            numbers = [int(number) for number in lines[0].split()]
            self.assertEqual(numbers[:4], [0, 1, 2, 3], lines)  # 3 is the folder that the script reads
            self.assertEqual(numbers[-3:], [200, 201, 202], lines)  # the ledger and the pipes
            self.assertLessEqual(set(numbers[4:-3]), {4}, lines)  # how listdir reads it
            self.assertEqual(lines[1], f"/dev/null True ['{script('misbehaves')}']")
            # A program that the script starts has the standard ones and the folder that ls reads.
            self.assertEqual(lines[2], "[b'0', b'1', b'2', b'3']")
            os.kill(other.pid, signal.SIGKILL)
            host.end_of(other)

    def test_many_subsets_run_at_once(self):
        with plain("misbehaves") as host:
            subsets = [host.start([job("wait for term")], number) for number in range(16)]
            for number, subset in enumerate(subsets):
                subset.wait_for_output(b"waiting\n")
                host.signal(number, signal.SIGTERM)
            for subset in subsets:
                self.assertEqual(host.end_of(subset).status, ("exited", 0))
            self.assertEqual(len({subset.pid for subset in subsets}), 16)

    def test_the_end_of_the_worker_ends_every_subset(self):
        with plain("misbehaves") as host:
            subsets = [host.start([job("sleep child")], number) for number in (1, 2)]
            for subset in subsets:
                subset.wait_for_output(b"waiting ")
            self.assertEqual(host.close(), 0)
            for subset in subsets:
                self.assertFalse(subset.finish().ledger.returned)
                self.assertIn(state_of(subset.pid), "ZX")

    def test_the_death_of_the_host_ends_its_subsets(self):
        host = plain("misbehaves")
        subset = host.start([job("wait")])
        subset.wait_for_output(b"waiting\n")
        host.process.kill()
        subset.finish()
        host.close()

    def test_a_fresh_process_runs_the_subset_itself(self):
        with plain("fresh") as host:
            subset = host.start([job(), job()], verb="run")
            self.assertEqual(subset.pid, host.process.pid)
            self.assertEqual(host.process.wait(GUARD), 0)
            self.assertEqual(host.receive(), "")
            subset.finish()
        self.assertTrue(subset.ledger.returned)
        self.assertEqual(subset.ledger.ended[1].output, b"True 2\n")
        self.assertEqual(subset.stdout[1], f"in {subset.pid}\n".encode())

    def test_a_call_without_its_descriptors_is_refused(self):
        with plain("misbehaves") as host:
            for nonsense in ("call", "call x", "signal 1", "signal 99 9", "dance 1", ""):
                if nonsense:
                    host.control.send(nonsense.encode())
            host.control.send(b"call 5")
            self.assertEqual(host.receive(), "refused 5 the descriptors of the subset did not come with it")
            self.assertTrue(host.call([job("fine")], 6).ledger.returned)

    def test_no_room_for_a_process_is_a_refusal(self):
        python = (PYTHON, os.path.join(HERE, "no_fork.py"))
        with plain("misbehaves", python=python) as host:
            subset = host.start([job("fine")])
            self.assertEqual(subset.refused, "Resource temporarily unavailable")

    def test_its_own_descriptors_do_not_add_up(self):
        with plain("misbehaves") as host:
            host.call([job("fine")], 1)
            folder = f"/proc/{host.process.pid}/fd"
            before = sorted(os.listdir(folder))
            for number in range(2, 12):
                host.call([job("fine")], number)
            self.assertEqual(sorted(os.listdir(folder)), before)

    def test_a_batch_of_128_comes_back_in_order(self):
        with plain("misbehaves") as host:
            subset = host.call([job("fine", uuid=b"%d" % number) for number in range(128)])
        self.assertEqual(list(subset.ledger.ended), list(range(128)))
        for number in range(128):
            self.assertEqual(subset.stdout[number], b"captured of %d\n" % number)
        self.assertTrue(re.fullmatch(b"E{128}R", subset.ledger.kinds))


if __name__ == "__main__":
    unittest.main()
