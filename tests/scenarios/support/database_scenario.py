"""Scenarios with the controller's database: one server for a class of tests, emptied before each."""

from support.database import Database
from support.scenario import Scenario


class DatabaseScenario(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.database = Database()

    @classmethod
    def tearDownClass(cls):
        cls.database.remove()

    def setUp(self):
        super().setUp()
        self.database.empty()


class DjangoScenario(DatabaseScenario):
    """With what the project of tests/django wants of it: a user without password, and its own table."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database.run("CREATE USER django@localhost; GRANT ALL ON MCP.* TO django@localhost")

    def setUp(self):
        super().setUp()
        self.database.run("CREATE TABLE MCP.Files (name varchar(100) PRIMARY KEY, connection bigint NOT NULL DEFAULT 0,"
                          " state int NOT NULL DEFAULT 0) ENGINE=InnoDB")
