"""Writes a row for each job, the second and later ones once the gate is open.

Arguments: name of the row, the gate's folder.
"""

import os
import time

import django

django.setup()
from django.db import close_old_connections
from main.models import File


def call(jobs):
    for job in jobs:
        with job.JobContext():
            name, gate = job.args[1:]
            File.objects.create(name=name)
        if job is jobs[0]:
            with open(os.path.join(gate, name), "w"):
                pass
            while not os.path.exists(os.path.join(gate, "open")):
                time.sleep(0.002)
        elif job.get_exit_code() != 0:
            close_old_connections()  # as Archivematica's scripts do between one piece of work and the next
