"""A controller: the Gearman protocol on a socket, and batches as Archivematica and CCP write them.

It shares no code with the worker and uses no Gearman library, so that a fault in either cannot hide.
"""

import json
import selectors
import socket
import struct
import time
import uuid

from support.reply import read_reply
from support.waiting import GUARD, WaitedTooLong

_SUBMIT_JOB, _JOB_CREATED, _WORK_STATUS, _WORK_COMPLETE, _WORK_FAIL = 7, 8, 12, 13, 14
_SUBMIT_JOB_BG, _ERROR, _WORK_EXCEPTION, _OPTION_REQ, _OPTION_RES = 18, 19, 25, 26, 27
_WORK_DATA, _WORK_WARNING = 28, 29
_NAMES = {_WORK_STATUS: "STATUS", _WORK_COMPLETE: "COMPLETE", _WORK_FAIL: "FAIL",
          _WORK_EXCEPTION: "EXCEPTION", _WORK_DATA: "DATA", _WORK_WARNING: "WARNING"}


def task(arguments="", wants_output=True, dialect="uuid", created="2024-08-04T21:34:35.241750+00:00", **others):
    """A task as a controller writes it: Archivematica repeats the id as "uuid", CCP as "task_uuid"."""
    return {dialect: str(uuid.uuid4()), "createdDate": created, "arguments": arguments,
            "wants_output": wants_output, **others}


def tasks_of(*tasks):
    """{task id: task}, in this order; the ids are the inner ones."""
    return {one.get("uuid") or one.get("task_uuid"): one for one in tasks}


def encode(tasks):
    return json.dumps({"tasks": tasks}).encode()


def quote(word):
    """A word so that Python's shlex.split gives it back."""
    return "'" + word.replace("'", "'\"'\"'") + "'"


class Batch:
    """One Gearman job and every packet that came back for it."""

    def __init__(self, function, tasks, workload, background):
        self.function = function
        self.tasks = tasks
        self.workload = workload
        self.background = background
        self.unique = str(uuid.uuid4())
        self.handle = None
        self.packets = []  # (name, data), in the order of arrival

    @property
    def names(self):
        return [name for name, _ in self.packets]

    @property
    def done(self):
        return self.handle is not None and (
            self.background or "COMPLETE" in self.names or "FAIL" in self.names)

    def results(self):
        """{task id: result}. Fails unless one WORK_COMPLETE with a strict reply was all that came."""
        assert self.names == ["COMPLETE"], f"{self.function} {self.handle}: {self.packets!r:.400}"
        wants = {task_id: one.get("wants_output", True) if isinstance(one, dict) else True
                 for task_id, one in self.tasks.items()}
        return read_reply(self.packets[0][1], wants)

    def result(self):
        """The result of the only task."""
        (result,) = self.results().values()
        return result


class Controller:
    """One connection. Not for several threads."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._outgoing = []  # memoryviews that are still to be sent
        self._incoming = bytearray()
        self._unconfirmed = []  # batches without a handle, in the order of their submission
        self._by_handle = {}
        self._options = []
        # Without this gearmand keeps WORK_EXCEPTION from us, and a worker that sends one would go unseen.
        self._send(_OPTION_REQ, b"exceptions")
        self._pump_until(lambda: self._options, "gearmand to confirm the option exceptions", GUARD)

    def close(self):
        self._selector.close()
        self._socket.close()

    def submit(self, function, tasks=None, workload=None, background=False):
        """Sends a batch: {task id: task}, or a workload as it stands. Waits for no answer."""
        batch = Batch(function, tasks or {}, encode(tasks) if workload is None else workload, background)
        self._unconfirmed.append(batch)
        self._send(_SUBMIT_JOB_BG if background else _SUBMIT_JOB,
                   function.encode(), batch.unique.encode(), batch.workload)
        self._pump_until(lambda: not self._outgoing, "gearmand to read", GUARD)
        return batch

    def run(self, function, *tasks, guard=GUARD):
        """Sends one batch of these tasks and waits for its results: a list in the order of the tasks."""
        batch = self.submit(function, tasks_of(*tasks))
        self.wait([batch], guard)
        results = batch.results()
        return [results[task_id] for task_id in batch.tasks]

    def wait(self, batches, guard=GUARD):
        """Until each batch is done; a background batch is done when it has been taken in."""
        self._pump_until(lambda: all(batch.done for batch in batches),
                         f"{len(batches)} batches of {sorted({batch.function for batch in batches})}", guard)

    def wait_for_handles(self, batches):
        """Until gearmand has taken the batches in."""
        self._pump_until(lambda: all(batch.handle for batch in batches), "JOB_CREATED", GUARD)

    def pump(self, seconds):
        """Sends and takes what there is, for so long at most."""
        end = time.monotonic() + seconds
        self._pump_until(lambda: time.monotonic() >= end, "nothing", GUARD, patience=seconds)

    def _send(self, kind, *arguments):
        body = b"\0".join(arguments)
        self._outgoing += [memoryview(b"\0REQ" + struct.pack(">II", kind, len(body))), memoryview(body)]

    def _pump_until(self, condition, what, guard, patience=0.5):
        end = time.monotonic() + guard
        while not condition():
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
            self._selector.modify(self._socket, events)
            for _, ready in self._selector.select(timeout=patience):
                if ready & selectors.EVENT_WRITE:
                    self._write()
                if ready & selectors.EVENT_READ:
                    self._read()
            if time.monotonic() > end:
                raise WaitedTooLong(f"waited {guard} s for: {what}")

    def _write(self):
        try:
            sent = self._socket.sendmsg(self._outgoing[:64])
        except BlockingIOError:
            return
        while self._outgoing and sent >= len(self._outgoing[0]):
            sent -= len(self._outgoing.pop(0))
        if sent:
            self._outgoing[0] = self._outgoing[0][sent:]

    def _read(self):
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError("gearmand closed the controller's connection")
        self._incoming += data
        start = 0
        while len(self._incoming) - start >= 12:
            magic, kind, size = struct.unpack_from(">4sII", self._incoming, start)
            assert magic == b"\0RES", f"not a Gearman packet: {magic!r}"
            if len(self._incoming) - start < 12 + size:
                break
            self._packet(kind, bytes(self._incoming[start + 12:start + 12 + size]))
            start += 12 + size
        del self._incoming[:start]

    def _packet(self, kind, body):
        if kind == _JOB_CREATED:
            batch = self._unconfirmed.pop(0)
            batch.handle = body
            self._by_handle[body] = batch
        elif kind == _OPTION_RES:
            self._options.append(body)
        elif kind in _NAMES:
            handle, _, data = body.partition(b"\0")
            self._by_handle[handle].packets.append((_NAMES[kind], data))
        else:
            raise AssertionError(f"gearmand sent packet {kind}{' (ERROR)' if kind == _ERROR else ''}: {body!r:.200}")
