"""As crashes_native.cpp, for what Python does differently."""

import os
import time


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            if job.args[1] == "flood":
                for _ in range(int(job.args[2]) >> 20):
                    os.write(1, b"x" * (1 << 19))
                    os.write(1, b"x" * (1 << 19))
            if job.args[1] == "trickle":
                for _ in range(20):
                    print(".", end="", flush=True)
                    time.sleep(0.01)
            job.print_output("done", job.args[1])
