"""Six processes; tells how many of them run at the same time.

arg 1: a file with two numbers, running now and the most ever. arg 2: how many must have run at once before
any may end, so that the most is not a matter of luck.
"""

import fcntl
import time


def concurrent_instances():
    return 6


def change(path, by):
    with open(path, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        now, most = map(int, file.read().split())
        now += by
        most = max(most, now)
        file.seek(0)
        file.truncate()
        file.write(f"{now} {most}\n")
        file.flush()
        return most


def call(jobs):
    for job in jobs:
        with job.JobContext():
            path, wanted = job.args[1], int(job.args[2])
            most = change(path, 1)
            while most < wanted:
                time.sleep(0.002)
                most = change(path, 0)
            change(path, -1)
