"""The control socket of a worker, asked by a client of our own."""

import json
import os
import socket

from support.waiting import wait_until


class Control:
    def __init__(self, worker):
        self._folder = os.path.join(worker.settings["state_directory"], "control")
        self._name = f"{worker.pid}.sock"
        self.path = os.path.join(self._folder, self._name)
        wait_until(lambda: os.path.exists(self.path), "the control socket")

    def ask(self, line):
        """The answer to one line, as it stands."""
        folder = os.open(self._folder, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(60)
                client.connect(f"/proc/self/fd/{folder}/{self._name}")  # addresses are short
                client.sendall(line.encode() + b"\n")
                return client.makefile("rb").readline()
        finally:
            os.close(folder)

    def request(self, request, **more):
        return json.loads(self.ask(json.dumps({"request": request, **more})))

    def status(self):
        return self.request("status")

    def cancel(self, *ids, subset=False):
        """[(outcome, ids of those that share the process)]"""
        answer = self.request("cancel", tasks=ids, subset=subset)
        return [(task["outcome"], sorted(task["shares"])) for task in answer["tasks"]]
