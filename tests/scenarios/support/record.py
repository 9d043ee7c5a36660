"""A reader of the task record, as an administrator's own query would be one: another process's connection."""

import contextlib
import sqlite3


class Record:
    def __init__(self, path):
        self.path = path

    @contextlib.contextmanager
    def _connect(self):
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=60)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def query(self, sql, *values):
        with self._connect() as connection:
            return connection.execute(sql, values).fetchall()

    def rows(self):
        """{task id: row}; fails when an id has two rows."""
        rows = self.query("SELECT * FROM Tasks")
        by_id = {row["taskUUID"]: row for row in rows}
        assert len(by_id) == len(rows), "a task has two rows"
        return by_id

    def row(self, task_id):
        (row,) = self.query("SELECT * FROM Tasks WHERE taskUUID = ?", task_id)
        return row

    def count(self):
        return self.query("SELECT count(*) FROM Tasks")[0][0]

    @contextlib.contextmanager
    def locked(self):
        """Nobody else can write meanwhile."""
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()


def as_bytes(value):
    """A text of the record as bytes: what is not UTF-8 is kept as a BLOB."""
    return value if isinstance(value, bytes) else (value or "").encode()
