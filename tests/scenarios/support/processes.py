"""Processes that carry a mark in their environment.

A worker is started with a mark that it hands to its children, so that whatever it leaves behind is found,
whoever its parent has become meanwhile.
"""

import os
import signal


def is_alive(pid):
    """Whether the process exists and is more than a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent(pid):
    """The parent's process id; 0 where there is none any more."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def kill(pid, number=signal.SIGKILL):
    """To a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return text.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return "(gone)"


def marked(mark):
    """The pids of the living processes with `mark` (KEY=value) in their environment, without this one."""
    wanted = mark.encode()
    pids = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as environ:
                found = wanted in environ.read().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if found and is_alive(int(name)):
            pids.append(int(name))
    return sorted(pids)
