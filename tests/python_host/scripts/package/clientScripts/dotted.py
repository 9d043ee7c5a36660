"""Known by its import name; imports a real client.job and a library from the paths."""

import helper
from client.job import Job


def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.print_output(helper.WORD, Job)
