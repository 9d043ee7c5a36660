"""Must not be forked once it is loaded."""

import os
import threading

loaded_in = os.getpid()
threading.Thread(target=threading.Event().wait, daemon=True).start()


def fresh_process():
    return True


def call(jobs):
    for job in jobs:
        with job.JobContext():
            print("in", os.getpid())
            job.print_output(os.getpid() == loaded_in, threading.active_count())
