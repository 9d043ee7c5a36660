"""The worker's side of host_protocol.hpp, as far as the tests of quire_host.py need it.

It follows the protocol's description, not the host's code, so that a mistake there is not made twice.
"""

import os
import select
import socket
import struct
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = os.path.join(HERE, "..", "..", "worker", "host", "quire_host.py")
SCRIPTS = os.path.join(HERE, "scripts")
PYTHON = os.environ.get("QUIRE_TEST_PYTHON", "/usr/bin/python3")
NO_JOB = 0xFFFFFFFF
GUARD = 60  # seconds after which a test fails instead of waiting on


def string(data):
    return struct.pack("<I", len(data)) + data


def frame(kind, body):
    return struct.pack("<I", 1 + len(body)) + kind + body


def ledger_head(nonce, limits, function, jobs):
    """limits: memory, open files, output; jobs: (uuid, [argument bytes], capture_output)"""
    head = frame(b"C", nonce + struct.pack("<QIQ", *limits) + string(function) + struct.pack("<I", len(jobs)))
    for uuid, arguments, capture_output in jobs:
        body = struct.pack("<B", capture_output) + string(uuid) + struct.pack("<I", len(arguments))
        head += frame(b"J", body + b"".join(string(argument) for argument in arguments))
    return head


class Ended:
    """An 'E' frame."""

    def __init__(self, body):
        self.job, self.code, self.microseconds, size = struct.unpack_from("<IqqI", body)
        at = struct.calcsize("<IqqI")
        self.output = body[at : at + size]
        at += size
        (size,) = struct.unpack_from("<I", body, at)
        self.error = body[at + 4 :]
        assert len(self.error) == size


class Ledger:
    """What a subset has appended; whole frames only."""

    def __init__(self, data):
        self.ended = {}  # job → its last 'E'
        self.kinds = b""
        self.returned = False
        self.escaped = None
        at = 0
        while at < len(data):
            (size,) = struct.unpack_from("<I", data, at)
            kind, body = data[at + 4 : at + 5], data[at + 5 : at + 4 + size]
            assert len(body) == size - 1, "a frame is not whole"
            at += 4 + size
            self.kinds += kind
            if kind == b"E":
                entry = Ended(body)
                self.ended[entry.job] = entry
            elif kind == b"R":
                assert size == 1
                self.returned = True
            elif kind == b"X":
                assert struct.unpack_from("<I", body)[0] == len(body) - 4
                self.escaped = body[4:].decode()
            else:
                raise AssertionError("a frame of unknown kind " + repr(kind))


class Captured:
    """What came through a pipe, told apart by its markers."""

    def __init__(self, data, nonce):
        self.last = NO_JOB  # the job whose marker came last
        self.texts = {}
        pieces = data.split(nonce)
        self.texts[NO_JOB] = pieces[0]
        for piece in pieces[1:]:
            (self.last,) = struct.unpack_from("<I", piece)
            self.texts[self.last] = self.texts.get(self.last, b"") + piece[4:]

    def __getitem__(self, job):
        return self.texts.get(job, b"")


class Subset:
    """One call of a script: its ledger, its pipes and, once it has ended, what became of it."""

    def __init__(self, jobs, drained=True, function=b"function_v0.0", limits=(0, 0, 0)):
        """drained: whether what comes to descriptor 1 is read at once, or only when drain() is called."""
        self.nonce = os.urandom(16)
        self.ledger_file = os.memfd_create("ledger")
        self.head = ledger_head(self.nonce, limits, function, jobs)
        os.write(self.ledger_file, self.head)
        self.pid = None
        self.status = None  # ("exited", code) or ("signalled", signal)
        self.refused = None
        self._data = [b"", b""]
        self._arrived = threading.Condition()
        self._may_drain = threading.Event()
        if drained:
            self.drain()
        self._pipes = [os.pipe(), os.pipe()]
        self._readers = [threading.Thread(target=self._drain, args=(i,), daemon=True) for i in (0, 1)]
        for reader in self._readers:
            reader.start()

    def descriptors(self):
        return [self.ledger_file, self._pipes[0][1], self._pipes[1][1]]

    def sent(self):
        for _, write_end in self._pipes:
            os.close(write_end)

    def drain(self):
        self._may_drain.set()

    def _drain(self, which):
        if which == 0:
            self._may_drain.wait()
        while True:
            data = os.read(self._pipes[which][0], 65536)
            with self._arrived:
                self._data[which] += data
                self._arrived.notify_all()
            if not data:
                return os.close(self._pipes[which][0])

    def wait_for_output(self, text, descriptor=1):
        """Until the subset has printed this to descriptor 1 or 2."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: text in self._data[descriptor - 1], GUARD):
                raise AssertionError(f"{text!r} did not arrive, only {self._data}")

    def finish(self):
        """Waits until no process holds the pipes any more; then everything is there to be looked at."""
        for reader in self._readers:
            reader.join(GUARD)
            if reader.is_alive():
                raise AssertionError("a process still holds the subset's pipes")
        size = os.fstat(self.ledger_file).st_size
        data = os.pread(self.ledger_file, size, 0)
        assert data.startswith(self.head)
        os.close(self.ledger_file)
        self.ledger = Ledger(data[len(self.head) :])
        self.stdout = Captured(self._data[0], self.nonce)
        self.stderr = Captured(self._data[1], self.nonce)
        return self


def job(*arguments, uuid=b"uuid", capture_output=True):
    return (uuid, [os.fsencode(argument) for argument in arguments], capture_output)


class Host:
    """A running quire_host.py. A context manager: afterwards the process has ended."""

    def __init__(self, name, file=None, path=(), python=(PYTHON,)):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        self.log = tempfile.TemporaryFile()
        self._subsets = {}
        words = [*python, HOST]
        if path:
            words += ["--path", ":".join(path)]
        words += [name] + ([file] if file else [])
        # The control socket is to be descriptor 3, whatever number it has here.
        fd = theirs.fileno()
        launch = f'exec 3<&{fd} {fd}<&- "$@"' if fd != 3 else 'exec "$@"'
        # What this machine sets for its Pythons must not hide what the host does by itself.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", launch, "bash", *words],
            stdin=self.log,
            stdout=self.log,
            stderr=self.log,
            pass_fds=[fd],
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        theirs.close()
        self.hello = self.receive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hangs up; gives the host's exit code."""
        self.control.close()
        self.log.close()
        try:
            return self.process.wait(GUARD)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def receive(self):
        ready, _, _ = select.select([self.control], [], [], GUARD)
        if not ready:
            raise AssertionError("the host says nothing")
        try:
            return self.control.recv(65536).decode()
        except ConnectionResetError:
            return ""

    def own_output(self):
        self.log.seek(0)
        return self.log.read()

    def start(self, jobs, number=1, verb="call", drained=True):
        """Starts a subset; returns when the host has answered."""
        subset = Subset(jobs, drained)
        self._subsets[number] = subset
        socket.send_fds(self.control, [f"{verb} {number}".encode()], subset.descriptors())
        subset.sent()
        self.wait(lambda: subset.pid or subset.refused)
        return subset

    def call(self, jobs, number=1):
        """Runs a subset to its end."""
        return self.end_of(self.start(jobs, number))

    def end_of(self, subset):
        self.wait(lambda: subset.status)
        return subset.finish()

    def signal(self, number, signal):
        self.control.send(f"signal {number} {signal:d}".encode())

    def wait(self, condition):
        while not condition():
            message = self.receive()
            if not message:
                raise AssertionError("the host has gone: " + self.own_output().decode())
            kind, number, *rest = message.split(" ")
            subset = self._subsets[int(number)]
            if kind == "started":
                subset.pid = int(rest[0])
            elif kind == "ended":
                assert subset.pid, "ended before it started"
                subset.status = (rest[0], int(rest[1]))
            elif kind == "refused":
                subset.refused = " ".join(rest)
            else:
                raise AssertionError("unexpected message " + message)
