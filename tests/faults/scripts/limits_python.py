"""Goes beyond its limits: arg 1 says in what way."""

import os
import signal
import subprocess
import sys
import time


def concurrent_instances():
    return 1


def spin():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def bomb(cap=300):
    """Forks without end, in sessions of their own, but never more than `cap` deep, for the machine's sake."""
    for _ in range(cap):
        if os.fork() == 0:
            os.setsid()
            os.fork()
            time.sleep(600)
    time.sleep(600)


def run(job, what):
    if what == "sleep":
        time.sleep(600)
    if what == "spin":
        spin()
    if what == "bomb":
        bomb()
    if what == "memory":
        job.print_output(len(bytearray(1 << 30)))
    if what == "files":
        files = [open(os.devnull) for _ in range(500)]
        job.print_output(len(files))
    if what == "output":
        job.write_output("begin" + "x" * (1 << 20) + "end")
    if what == "print":
        sys.stdout.write("begin" + "x" * (1 << 20) + "end")
    if what == "daemon":
        daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
        job.print_output(daemon.pid)
        return
    if what == "TERM":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended in good order"))
        time.sleep(600)
    job.print_output("done", what)


def call(jobs):
    for job in jobs:
        with job.JobContext():
            run(job, job.args[1])
