"""Runs a program in which no process can be forked: no_fork.py PROGRAM ARGUMENTS..."""

import errno
import os
import runpy
import sys


def fork():
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


os.fork = fork
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
