"""As gated.py, in one process and with jobs that are independent of each other.

arg 1: the gate, a folder; arg 2: anything, and the job goes through without waiting.
"""

import os
import time


def concurrent_instances():
    return 1


def independent_jobs():
    return True


def call(jobs):
    for job in jobs:
        with job.JobContext():
            gate = job.args[1]
            job.write_output("through ")
            with open(os.path.join(gate, job.uuid), "a") as arrived:
                arrived.write(f"{os.getpid()}\n")
            while len(job.args) < 3 and not os.path.exists(os.path.join(gate, "open")):
                time.sleep(0.002)
            job.write_output("the gate")
