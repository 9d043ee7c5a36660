"""Starts a thread when it is loaded, and needs it for its work."""

import os
import queue
import threading

import django

django.setup()
from main.models import File

work = queue.Queue()
done = queue.Queue()


def serve():
    while True:
        done.put(work.get() * 2)


threading.Thread(target=serve, name="server", daemon=True).start()


def call(jobs):
    for job in jobs:
        with job.JobContext():
            work.put(int(job.args[1]))
            job.print_output(done.get(), os.getpid(), File.objects.count())
