"""Two processes; each job leaves its id in a file, so that it can be told how often it was run.

arg 1: the file. arg 2: the exit code.
"""

import os


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            notes = os.open(job.args[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(notes, f"{job.uuid}\n".encode())
            os.close(notes)
            job.write_output(f"output of {job.uuid}")
            job.write_error(f"error of {job.uuid}")
            job.set_status(int(job.args[2]))
