"""Does nothing, as fast as it can."""


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            pass
