"""Changes everything that a subset may change: none of it must be seen by the next one."""

import os
import random
import signal
import sys

seen = []
loaded_in = os.getpid()


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            seen.append(job.uuid)
            job.print_output(len(seen), os.getcwd(), oct(os.umask(0o77)), os.environ.get("LEFT"), type(sys.stdout))
            job.print_output(signal.getsignal(signal.SIGTERM).name, random.random(), os.getpid() != loaded_in)
    os.chdir("/tmp")
    os.environ["LEFT"] = "behind"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    sys.stdout = open(os.devnull, "w")
