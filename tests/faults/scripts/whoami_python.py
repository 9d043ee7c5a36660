"""Tells what the process of a script has: user, groups, privileges, descriptors, environment."""

import os
import resource
import subprocess


def call(jobs):
    for job in jobs:
        with job.JobContext():
            with open("/proc/self/status", encoding="utf-8") as status:
                privileges = next(line.split()[1] for line in status if line.startswith("NoNewPrivs:"))
            descriptors = subprocess.run(["ls", "/proc/self/fd"], stdout=subprocess.PIPE, check=True, close_fds=False)
            job.print_output(f"uid={list(os.getresuid())}")
            job.print_output(f"groups={sorted({os.getgid(), *os.getgroups()})}")
            job.print_output(f"NoNewPrivs={privileges}")
            job.print_output("descriptors=" + " ".join(descriptors.stdout.decode().split()))
            job.print_output("environment=" + " ".join(sorted(os.environ)))
            job.print_output(f"limit={resource.getrlimit(resource.RLIMIT_NOFILE)[0]}")
