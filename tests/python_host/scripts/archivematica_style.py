"""Written as Archivematica's own client scripts are."""

import argparse
import logging
import subprocess
from typing import Callable, List

from client.job import Job

logger = logging.getLogger("archivematica.mcp.client.style")


def concurrent_instances():
    return 4


def report(pyprint: Callable[..., None], what: str) -> None:
    pyprint("about", what)
    import sys

    pyprint("beware of", what, file=sys.stderr)
    pyprint("a", "b", sep="-", end="!\n")


def main(job: Job) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("what")
    parser.add_argument("--number", type=int, default=0)
    args = parser.parse_args(job.args[1:])
    if args.what == "report":
        report(job.pyprint, "handing on")
    elif args.what == "log":
        logger.debug("not told")
        logger.info("info %d", 1)
        logger.warning("warning")
        logger.error("error")
        try:
            raise KeyError("gone")
        except KeyError:
            logger.exception("exception")
    elif args.what == "inherit":
        subprocess.run(["/bin/sh", "-c", "echo from sh; echo from sh to stderr >&2"], check=True)
    elif args.what == "raise":
        job.print_output("before")
        raise ValueError("no such file")
    return args.number


def call(jobs: List[Job]) -> None:
    logger.setLevel(logging.INFO)
    for job in jobs:
        with job.JobContext(logger=logger):
            job.set_status(main(job))
