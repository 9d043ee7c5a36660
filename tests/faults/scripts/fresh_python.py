"""Must not be forked once it is loaded, and leaves a daemon behind: arg 1 says whether it then waits, dies or ends."""

import os
import signal
import subprocess
import time


def fresh_process():
    return True


def call(jobs):
    for job in jobs:
        with job.JobContext():
            daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
            with open(job.args[2], "w", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {daemon.pid}")
            if job.args[1] == "wait":
                time.sleep(600)
            if job.args[1] == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            job.print_output("done")
