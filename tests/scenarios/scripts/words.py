"""Answers with its words, as JSON."""

import json


def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.write_output(json.dumps(job.args))
