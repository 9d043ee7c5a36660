"""What callgrind counts: instructions, by function, of the processes of a worker that runs under it."""

import collections
import glob
import os
import re
import subprocess


def command(folder):
    """The words that run a program, and all that it starts, under callgrind."""
    return ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/out.%p"]


def control(word, pid):
    """Has the process forget ("--zero") or write down ("--dump") what it has counted."""
    subprocess.run(["callgrind_control", word, str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)


def counts(path):
    """{function: instructions of its own} of one file that callgrind has written."""
    names, objects, own = {}, {}, collections.Counter()
    function, library, called = "", "", False

    def name_of(line, known):
        number, name = re.match(r"c?\w+=\((\d+)\)(?: (.*))?", line).groups()
        return known.setdefault(number, name)
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("ob="):
                library = os.path.basename(name_of(line, objects))
            elif line.startswith("fn="):
                function = name_of(line, names)
                if function.startswith("0x"):
                    function += f" in {library}"
            elif line.startswith("cfn="):  # a callee; it may be named here first, as its object
                name_of(line, names)
            elif line.startswith("cob="):
                name_of(line, objects)
            elif line.startswith("calls="):
                called = True  # the next line has what the callee has cost
            elif line[0] in "0123456789+-*":
                if not called:
                    own[function] += int(line.split()[1])
                called = False
    return own


def of_process(folder, pid):
    """What a process has written down since it was told to forget, when it was told to and when it ended."""
    own = collections.Counter()
    for path in glob.glob(f"{folder}/out.{pid}") + glob.glob(f"{folder}/out.{pid}.*"):
        own += counts(path)
    return own


def pids(folder):
    """Of all processes that have written something."""
    return {int(os.path.basename(path).split(".")[1]) for path in glob.glob(f"{folder}/out.*")}
