"""A job server that answers the batches it gets as a test tells it to: with what a real one does seldom."""

import json
import socket
import struct
import threading

_SUBMIT_JOB, _JOB_CREATED, _WORK_COMPLETE, _WORK_FAIL, _ERROR, _WORK_EXCEPTION, _OPTION_REQ, _OPTION_RES = \
    7, 8, 13, 14, 19, 25, 26, 27


class AwkwardServer:
    """Serves one connection. answers: for each batch in its order "complete", "refuse", "fail", "except", "forget" (the
    result of the task whose arguments are the last by the alphabet) or "close" (the connection, when the handle has been given)."""

    def __init__(self, answers):
        self._answers = list(answers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:" + str(self._listening.getsockname()[1])
        self.options = []
        self.tasks = []  # {task id: task} of each batch
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def wait(self):
        self._thread.join(60)
        self._listening.close()

    def _serve(self):
        self._listening.settimeout(60)
        connection, _ = self._listening.accept()
        with connection, connection.makefile("rb") as stream:
            while len(header := stream.read(12)) == 12:
                magic, kind, size = struct.unpack(">4sII", header)
                assert magic == b"\0REQ", magic
                body = stream.read(size)
                if kind == _OPTION_REQ:
                    self.options.append(body)
                    self._send(connection, _OPTION_RES, body)
                elif kind == _SUBMIT_JOB and not self._answer(connection, body.split(b"\0", 2)[2]):
                    connection.shutdown(socket.SHUT_RDWR)
                    return

    def _answer(self, connection, workload):
        """Whether the connection stays."""
        tasks = json.loads(workload)["tasks"]
        self.tasks.append(tasks)
        handle = f"H:test:{len(self.tasks)}".encode()
        how = self._answers.pop(0)
        if how == "refuse":
            self._send(connection, _ERROR, b"QUEUE_FULL", b"no room for a job")
            return True
        self._send(connection, _JOB_CREATED, handle)
        if how == "fail":
            self._send(connection, _WORK_FAIL, handle)
        elif how == "except":
            self._send(connection, _WORK_EXCEPTION, handle, b"why")
        elif how in ("complete", "forget"):
            ids = sorted(tasks, key=lambda task_id: tasks[task_id]["arguments"])[:-1 if how == "forget" else None]
            results = {task_id: {"exitCode": 0, "stdout": f"done {tasks[task_id]['arguments']}\n", "stderr": ""}
                       for task_id in ids}
            self._send(connection, _WORK_COMPLETE, handle, json.dumps({"task_results": results}).encode())
        return how != "close"

    @staticmethod
    def _send(connection, kind, *arguments):
        body = b"\0".join(arguments)
        connection.sendall(b"\0RES" + struct.pack(">II", kind, len(body)) + body)
