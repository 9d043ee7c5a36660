"""Four processes; each job comes to a gate and waits until it is open.

arg 1: the gate, a folder. A job leaves a file with its id there, and goes on when there is a file "open".
"""

import os
import time


def concurrent_instances():
    return 4


def call(jobs):
    for job in jobs:
        with job.JobContext():
            gate = job.args[1]
            job.write_output("through ")
            with open(os.path.join(gate, job.uuid), "w") as arrived:
                arrived.write(str(os.getpid()))
            while not os.path.exists(os.path.join(gate, "open")):
                time.sleep(0.002)
            job.write_output("the gate")
