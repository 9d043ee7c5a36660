"""A worker as Archivematica's MCPClient is one: one batch at a time, rows updated one by one, its own reply.

It shares nothing with the worker under test: the Gearman protocol on a socket, and the database through
MariaDB's own command. It runs in a thread until it is stopped.
"""

import json
import shlex
import socket
import struct
import threading

_CAN_DO, _PRE_SLEEP, _NOOP, _NO_JOB, _WORK_COMPLETE, _GRAB_JOB_UNIQ, _JOB_ASSIGN_UNIQ = 1, 4, 6, 10, 13, 30, 31


class PythonWorker:
    """call: gets a task's words, gives its exit code, stdout and stderr."""

    def __init__(self, port, function, database, call):
        self.answered = []  # task ids
        self._database = database
        self._call = call
        self._stopped = threading.Event()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=0.2)
        self._data = b""
        self._send(_CAN_DO, function.encode())
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _send(self, kind, *arguments):
        body = b"\0".join(arguments)
        self._socket.sendall(b"\0REQ" + struct.pack(">II", kind, len(body)) + body)

    def _packet(self):
        """The next packet, or None when the worker is stopped."""
        while not self._stopped.is_set():
            if len(self._data) >= 12:
                kind, size = struct.unpack_from(">II", self._data, 4)
                if len(self._data) >= 12 + size:
                    body, self._data = self._data[12:12 + size], self._data[12 + size:]
                    return kind, body
            try:
                self._data += self._socket.recv(1 << 20)
            except TimeoutError:
                pass
        return None

    def _serve(self):
        self._send(_GRAB_JOB_UNIQ)
        while packet := self._packet():
            kind, body = packet
            if kind == _NO_JOB:
                self._send(_PRE_SLEEP)
            elif kind == _NOOP:
                self._send(_GRAB_JOB_UNIQ)
            elif kind == _JOB_ASSIGN_UNIQ:
                handle, _function, _unique, workload = body.split(b"\0", 3)
                self._send(_WORK_COMPLETE, handle, self._run(json.loads(workload)["tasks"]))
                self._send(_GRAB_JOB_UNIQ)

    def _run(self, tasks):
        ids = ", ".join(f"'{task_id}'" for task_id in tasks)
        self._database.run(f"UPDATE MCP.Tasks SET startTime = UTC_TIMESTAMP(6) WHERE taskUUID IN ({ids})")
        results, updates = {}, ""
        for task_id, one in tasks.items():
            code, output, error = self._call(task_id, shlex.split(one["arguments"]))
            results[task_id] = {"exitCode": code, "finishedTimestamp": "2024-08-04T21:44:55.661575+00:00"}
            if one.get("wants_output", True):
                results[task_id].update(stdout=output, stderror=error)
            updates += (f"UPDATE MCP.Tasks SET exitCode = {code}, endTime = UTC_TIMESTAMP(6), stdOut = '{output}', "
                        f"stdError = '{error}' WHERE taskUUID = '{task_id}';")
        self._database.run(updates)
        self.answered += tasks
        return json.dumps({"task_results": results}).encode()
