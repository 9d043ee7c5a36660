"""Looks at every member of a Job; each finding is a line of output."""

import sys


def call(jobs):
    for job in jobs:
        with job.JobContext():
            look(job)


def look(job):
    assert job.args == ["function_v0.0", "one", "", "caf\u00e9 \udcff"], job.args
    assert job.name == "function_v0.0"
    assert job.uuid == job.UUID == "1b3c"
    assert job.capture_output is False
    assert job.int_code == job.get_exit_code() == 0
    assert job.status_code == job.output == job.error == ""
    assert job.start_time.utcoffset().total_seconds() == 0
    assert job.end_time is None

    job.set_status(0)
    assert job.status_code == "success"
    job.set_status("179", status_code="gone")
    job.set_status(0)
    assert (job.int_code, job.status_code) == (179, "success"), "0 cleared an earlier failure"

    job.write_output("a")
    job.write_output("b\n")
    job.print_output(1, None, "x")
    job.print_output()
    assert job.output == job.get_stdout() == "ab\n1 None x\n\n"
    job.output += "c"
    job.write_output("d")
    assert job.output == "ab\n1 None x\n\ncd"
    job.write_error("e")
    job.print_error("f", 2)
    assert job.error == job.get_stderr() == "ef 2\n"
    job.error = "g"

    job.pyprint("h", 3, sep="", end="")
    job.pyprint("i", file=sys.stderr)
    job.pyprint(file=sys.stdout)
    assert job.output.endswith("cdh3\n")
    assert job.error == "gi\n"
    for wrong in (sys.stdin, None, sys.stdout.buffer):
        try:
            job.pyprint("nowhere", file=wrong)
        except Exception:
            continue
        raise AssertionError(f"pyprint took {wrong}")
    for wrong in (b"bytes", None, 1):
        try:
            job.write_output(wrong)
        except TypeError:
            continue
        raise AssertionError(f"write_output took {wrong!r}")
    assert job.dump()
    job.log_results()
    job.output = "all is well\n" + job.args[3]
