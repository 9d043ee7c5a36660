"""hello_python: the smallest client script in Python. Copy it to begin one of your own.

arg 1   whom to greet
"""

import os


def concurrent_instances():
    return os.cpu_count() or 1


def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.pyprint("Hello,", job.args[1])
