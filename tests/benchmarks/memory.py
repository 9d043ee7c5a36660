"""What processes take of memory, as the kernel counts it, in MiB."""

import re
import threading
import time


def _kibibytes(path, name):
    """What a file below /proc says of `name`; 0 when the process has gone."""
    try:
        with open(path, encoding="ascii") as file:
            found = re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.MULTILINE)
            return int(found[1]) if found else 0
    except (FileNotFoundError, ProcessLookupError):
        return 0


def proportional(pids):
    """PSS: what each process has for itself, and its share of what it has with others."""
    return sum(_kibibytes(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids) / 1024


def settled(processes):
    """PSS of what processes() tells, once it stays the same for a tenth of a second."""
    before = 0
    for _ in range(100):
        now = proportional(processes())
        if now and abs(now - before) < 0.01:
            break
        before = now
        time.sleep(0.1)
    return now


class Peak:
    """The most that a process has had resident, read again and again since a process that has ended does not tell.

        with Peak(pid) as peak: …
        peak.mebibytes
    """

    def __init__(self, pid):
        self.mebibytes = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while True:
            self.mebibytes = max(self.mebibytes, _kibibytes(f"/proc/{self._pid}/status", "VmHWM") / 1024)
            if self._ended.wait(0.02):
                return
