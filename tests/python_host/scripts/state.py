"""Changes everything that a subset may change: none of it must be seen by the next one."""

import os
import random
import signal
import sys

seen = []
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            seen.append(job.uuid)
            mask = oct(os.umask(0o77))
            job.print_output(len(seen), os.getcwd(), mask, os.environ.get("LEFT"), type(sys.stdout))
            handlers = [signal.getsignal(number).name for number in (signal.SIGHUP, signal.SIGCHLD)]
            job.print_output(*handlers, signal.pthread_sigmask(signal.SIG_BLOCK, ()), random.random())
    os.chdir("/tmp")
    os.environ["LEFT"] = "behind"
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    sys.stdout = open(os.devnull, "w")
