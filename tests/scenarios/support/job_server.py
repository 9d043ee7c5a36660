"""A gearmand of a test's own: loopback only, a free port, a private folder, ended by its pid."""

import os
import random
import signal
import socket
import subprocess

from support.waiting import wait_until


def free_port():
    # Below the range that the kernel gives to outgoing connections: while the server is down for a restart,
    # nobody else's connection can come to sit on its port, and no client can connect to itself.
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class JobServer:
    """Running when constructed."""

    def __init__(self, folder, queue=None, options=()):
        """queue: a SQLite file that keeps background jobs. options: more words of its command line."""
        self.folder = folder
        self._options = options
        self._queue = ["--queue-type=libsqlite3", f"--libsqlite3-db={queue}"] if queue else []
        self.log = os.path.join(folder, "gearmand.log")
        self._process = None
        for _ in range(20):
            self.port = free_port()
            if self._try_to_start():
                return
        raise RuntimeError(f"gearmand did not start; see {self.log}")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def words(self):
        """The command line that it is started with."""
        return ["gearmand", "--listen=127.0.0.1", f"--port={self.port}", "--config-file=/dev/null",
                "--log-file=stderr", f"--pid-file={self.folder}/gearmand.pid", "--verbose=WARNING", *self._queue, *self._options]

    def _try_to_start(self):
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        wait_until(lambda: self._process.poll() is not None or self._answers(), "gearmand to answer")
        return self._process.poll() is None

    def _answers(self):
        try:
            self.status()
            return True
        except OSError:
            return False

    def start(self):
        """On the same port as before."""
        if not self._try_to_start():
            raise RuntimeError(f"gearmand did not start again on port {self.port}; see {self.log}")

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def status(self):
        """{function: (jobs in the queue, of these running, workers that offer it)}"""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as admin:
            admin.sendall(b"status\n")
            text = b""
            while not (text == b".\n" or text.endswith(b"\n.\n")):
                part = admin.recv(65536)
                if not part:
                    raise OSError("gearmand closed the admin connection")
                text += part
        rows = (line.split("\t") for line in text.decode().splitlines()[:-1])
        return {row[0]: tuple(map(int, row[1:4])) for row in rows}

    def is_offered(self, function):
        return self.status().get(function, (0, 0, 0))[2] > 0

    def running(self, function):
        return self.status().get(function, (0, 0, 0))[1]

    def waiting(self):
        """How many jobs are in the queue, the running ones included."""
        return sum(row[0] for row in self.status().values())
