"""Counts a transfer and an AIP for each job."""

import django

django.setup()
from client import metrics

metrics.aips_stored_counter.inc(1000)  # not by a task


def concurrent_instances():
    return 2


def call(jobs):
    for job in jobs:
        with job.JobContext():
            files = int(job.args[1])
            metrics.transfer_started("Standard")
            metrics.aip_stored(files)
            metrics.job_counter.labels(script_name="counting").inc()
            if len(job.args) > 2:
                raise SystemExit(3)
