"""Four processes; each job answers with its process."""

import os


def concurrent_instances():
    return 4


def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.write_output(str(os.getpid()))
