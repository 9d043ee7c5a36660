"""The controller's database: a private mariadbd with the table that Archivematica has.

No network, a folder of its own, an ordinary user where the tests run as root. It is asked with MariaDB's own
command, so that a fault in the worker's use of the client library cannot hide.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from support.waiting import wait_until

PASSWORD = "correct horse battery"

_OPTIONS = ["--no-defaults", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M",
            "--innodb-data-file-path=ibdata1:4M:autoextend", "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
            "--innodb-doublewrite=0", "--aria-log-file-size=8M",
            "--performance-schema=off"]

_TABLE = """
CREATE TABLE Tasks (
  taskUUID varchar(36) NOT NULL, createdTime datetime(6) NOT NULL, fileUUID varchar(36) DEFAULT NULL,
  fileName longtext NOT NULL, exec varchar(250) NOT NULL, arguments varchar(1000) NOT NULL,
  startTime datetime(6) DEFAULT NULL, endTime datetime(6) DEFAULT NULL, client varchar(50) NOT NULL,
  stdOut longtext NOT NULL, stdError longtext NOT NULL, exitCode bigint(20) DEFAULT NULL,
  jobuuid varchar(36) NOT NULL, PRIMARY KEY (taskUUID), KEY Tasks_jobuuid (jobuuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;
"""

_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def _value(text):
    if text == "NULL":
        return None
    parts = iter(text)
    return "".join(_ESCAPES[next(parts)] if letter == "\\" else letter for letter in parts)


class Database:
    """Running when constructed; a new process after kill() and start()."""

    def __init__(self, flush=2):
        """flush: 1 has every transaction on disk; 2 survives the end of the server, not of the machine."""
        self._flush = f"--innodb-flush-log-at-trx-commit={flush}"
        self.folder = tempfile.mkdtemp(prefix="quire-mariadb-")
        self.socket = os.path.join(self.folder, "socket")
        self.data = os.path.join(self.folder, "data")
        self._log = os.path.join(self.folder, "server.log")
        self._process = None
        os.mkdir(self.data)
        if os.geteuid() == 0:
            user = pwd.getpwnam("mysql")
            for path in (self.folder, self.data):
                os.chown(path, user.pw_uid, user.pw_gid)
        # What mariadb-install-db does, without its texts and its help.
        script = "CREATE DATABASE mysql;\nUSE mysql;\n"
        for name in ("mysql_system_tables", "mysql_system_tables_data"):
            with open(f"/usr/share/mysql/{name}.sql", encoding="utf-8") as file:
                script += file.read()
        with open(self._log, "ab") as log:
            subprocess.run([*self._command(), "--bootstrap"], input=script.encode(), stdout=log, stderr=log, check=True)
        self.start()
        self.run(f"CREATE USER archivematica@localhost IDENTIFIED BY '{PASSWORD}';"
                 "GRANT SELECT, INSERT, UPDATE, DELETE ON MCP.* TO archivematica@localhost")

    def _command(self):
        as_user = ["--reuid=mysql", "--regid=mysql", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig=KILL", *as_user, "/usr/sbin/mariadbd", *_OPTIONS, self._flush,
                f"--datadir={self.data}",
                f"--tmpdir={self.data}"]  # a server that starts clears the folder for temporary tables

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*self._command(), "--skip-networking", "--skip-name-resolve", f"--socket={self.socket}",
                 f"--pid-file={self.folder}/pid", "--character-set-server=utf8mb4"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self._process.poll() is not None or self._answers(), "mariadbd to answer")
        assert self._process.poll() is None, f"mariadbd did not start; see {self._log}"

    def _answers(self):
        try:
            self.run("SELECT 1")
            return True
        except subprocess.CalledProcessError:
            return False

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder)

    def empty(self):
        """Running, with an empty table."""
        if self._process.poll() is not None:
            self.start()
        self.run("DROP DATABASE IF EXISTS MCP; CREATE DATABASE MCP; USE MCP;" + _TABLE)

    def run(self, statements):
        """As an administrator. The rows of the last SELECT, as lists of texts and None."""
        done = subprocess.run(["mariadb", "--no-defaults", "--user=root", f"--socket={self.socket}", "--batch",
                               "--skip-column-names", "--default-character-set=utf8mb4"],
                              input=statements.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=120, check=True)
        return [[_value(text) for text in line.split("\t")] for line in done.stdout.decode().split("\n")[:-1]]

    def value(self, query):
        return self.run(query)[0][0]

    def rows(self):
        """{task id: {column: value}}"""
        columns = ["taskUUID", "startTime", "endTime", "client", "exitCode", "stdOut", "stdError"]
        return {row[0]: dict(zip(columns, row)) for row in self.run(f"SELECT {', '.join(columns)} FROM MCP.Tasks")}

    def insert(self, tasks):
        """Rows as the controller makes them, before it submits: {task id: task}."""
        values = ",".join(f"('{task_id}', NOW(6), NULL, 'a file', 'exec_v0.0', '', NULL, NULL, '', '', '', NULL, 'job')"
                          for task_id in tasks)
        self.run(f"INSERT INTO MCP.Tasks VALUES {values}")

    def settings(self, folder):
        """For a worker: a file of Archivematica's, with the password in it."""
        path = os.path.join(folder, "clientConfig.conf")
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as config:
            config.write("[MCPClient]\nMCPArchivematicaServer = localhost:4730\n\n[client]\n"
                         f"user = archivematica\npassword = {PASSWORD}\nhost = {self.socket}\ndatabase = MCP\n"
                         "engine = django.db.backends.mysql\n")
        return {"mariadb_settings": path}
