"""Does what goes wrong: arg 1 says what."""

import os
import signal
import subprocess
import sys


def concurrent_instances():
    return 2


def run(job, what):
    if what == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "_exit0":
        os._exit(0)
    if what == "SystemExit":
        sys.exit(3)
    if what == "raise":
        raise ValueError("raised in the scope of a job")
    if what == "close":
        os.closerange(0, 1024)
    if what == "print":
        print(f"printed by {job.uuid}", end="")
        print(f"complained by {job.uuid}", end="", file=sys.stderr)
    if what == "subprocess":
        subprocess.run(["printf", "printed by %s", job.uuid], check=True)
    if what == "flood":
        for _ in range(64):
            sys.stdout.write("x" * 65536)
    if what == "garbage":
        sys.stdout.flush()
        os.write(1, bytes(range(256)) * 16)
        os.write(2, bytes(range(256)) * 16)
    if what == "mutate":
        STATE.append(job.uuid)
        job.print_output(len(STATE))
        return
    job.print_output("done", what)


STATE = []


def call(jobs):
    escape = False
    for job in jobs:
        with job.JobContext():
            run(job, job.args[1])
        escape = escape or "escape" in job.args[2:]
    if escape:
        raise RuntimeError("raised out of call")
