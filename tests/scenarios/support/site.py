"""A site laid out as Archivematica or CCP is, made of the Django project of the tests, with the files that it has.

    site = FoldersSite(folder, job_server, database)      # Archivematica up to 1.17
    quire import-config *site.paths --output site.config
"""

import os
import shutil
import sys

from support.database import PASSWORD
from support.worker import TESTS, write_module_table

_PROJECT = os.path.join(os.path.dirname(TESTS), "django")


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Site:
    """paths: what import-config is to be told. variables: the file of variables."""

    modules = ("write_rows", "empty_django", "two_rows", "copy_recursive")
    user = "archivematica"
    scripts = "MCPClient/clientScripts"

    def __init__(self, folder, server, database):
        self.root = os.path.join(folder, "site")
        self.shared = os.path.join(self.root, "shared")
        os.makedirs(self.shared)
        self.server = server
        self.database = database
        self.variables = os.path.join(self.root, "default", "archivematica-mcp-client")
        self.table = os.path.join(self.root, "archivematicaClientModules")
        write_module_table(self.table, {f"{module}_v0.0": module for module in self.modules})
        self.make_code()
        # Quire ships a script of this name, too.
        _write(os.path.join(self.root, self.scripts, "copy_recursive.py"),
               "def call(jobs):\n    for job in jobs:\n        job.print_output('of the site')\n")
        self.paths = self.make_files()

    @property
    def functions(self):
        return [f"{module}_v0.0" for module in self.modules]

    def copy_code(self, places, names=()):
        """places: {folder of the project: where it is in the site}. names: [(word of the code, what it is here)]"""
        for source, target in places.items():
            target = os.path.join(self.root, target)
            shutil.copytree(os.path.join(_PROJECT, source), target, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("__pycache__"))
            for name in os.listdir(target):
                if not name.endswith(".py"):
                    continue
                with open(os.path.join(target, name), encoding="utf-8") as file:
                    text = file.read()
                for word, here in names:
                    text = text.replace(word, here)
                _write(os.path.join(target, name), text)

    def make_environment(self, folder):
        """A virtual environment around Debian's Python. Gives its folder for packages."""
        _write(os.path.join(folder, "pyvenv.cfg"), "home = /usr/bin\ninclude-system-site-packages = true\n")
        os.makedirs(os.path.join(folder, "bin"))
        os.symlink("/usr/bin/python3", os.path.join(folder, "bin", "python"))
        return os.path.join(folder, "lib", f"python{'.'.join(map(str, sys.version_info[:2]))}", "site-packages")

    def make_assets(self, folder):
        _write(os.path.join(folder, "catalog", "catalog.xml"), "<catalog/>\n")

    def write_variables(self, password=PASSWORD, **others):
        variables = {
            "DJANGO_TEST_SOCKET": self.database.socket,
            "PYTHONDONTWRITEBYTECODE": "1",
            f"{self.prefix}_USER": self.user, f"{self.prefix}_PASSWORD": f'"{password}"',
            f"{self.prefix}_HOST": self.database.socket, f"{self.prefix}_DATABASE": "MCP", **self.more_variables(), **others}
        return _write(self.variables, "# The worker's own variables.\n" +
                      "".join(f"{name}={value}\n" for name, value in variables.items()))


class FoldersSite(Site):
    """Archivematica up to 1.17. The database is in dbsettings, and the variables name no more than the user."""

    prefix = "ARCHIVEMATICA_MCPCLIENT_CLIENT"

    def make_code(self):
        self.copy_code({"MCPClient/clientScripts": "MCPClient/clientScripts", "MCPClient/settings": "MCPClient/settings",
                        "MCPClient/client": "MCPClient/client", "archivematicaCommon": "archivematicaCommon",
                        "dashboard/main": "dashboard/main"})
        # The dashboard has settings of its own, which must not come first.
        _write(os.path.join(self.root, "dashboard", "settings", "__init__.py"), "raise ImportError('of the dashboard')\n")
        self.make_assets(os.path.join(self.root, "MCPClient", "assets"))

    def more_variables(self):
        return {"DJANGO_SETTINGS_MODULE": "settings.common",
                "PYTHONPATH": f"{self.root}/archivematicaCommon/:{self.root}/dashboard/"}

    def make_files(self):
        etc = os.path.join(self.root, "etc")
        _write(os.path.join(etc, "MCPClient", "clientConfig.conf"),
               f"[MCPClient]\nMCPArchivematicaServer = {self.server}\nsharedDirectoryMounted = {self.shared}/\n"
               f"archivematicaClientModules = {self.table}\nclientScriptsDirectory = {self.root}/MCPClient/clientScripts/\n"
               f"clientAssetsDirectory = {self.root}/MCPClient/assets/\nelasticsearchServer = localhost:9200\n")
        _write(os.path.join(etc, "archivematicaCommon", "dbsettings"), "[client]\nengine = django.db.backends.mysql\n"
               f"host = {self.database.socket}\ndatabase = MCP\npassword = {PASSWORD}\n")
        unit = _write(os.path.join(self.root, "archivematica-mcp-client.service"),
                      f"[Service]\nUser=archivematica\nEnvironmentFile=-{self.variables}\nExecStart=/usr/bin/python3 x.py\n")
        self.write_variables()
        return [unit, etc]


class PackageSite(Site):
    """Archivematica from 1.18 on: variables and a virtual environment."""

    prefix = "ARCHIVEMATICA_MCPCLIENT_CLIENT"

    def make_code(self):
        self.environment = os.path.join(self.root, "virtualenv")
        packages = os.path.join(self.make_environment(self.environment), "archivematica")
        self.scripts = f"{packages}/MCPClient/clientScripts"
        self.copy_code({"MCPClient/clientScripts": f"{packages}/MCPClient/clientScripts",
                        "MCPClient/settings": f"{packages}/MCPClient/settings",
                        "archivematicaCommon": f"{packages}/archivematicaCommon",
                        "dashboard/main": f"{packages}/dashboard/main"},
                       [("from custom_handlers", "from archivematica.archivematicaCommon.custom_handlers"),
                        ("from main.models", "from archivematica.dashboard.main.models"),
                        ('["main"]', '["archivematica.dashboard.main"]')])
        for folder in ("", "MCPClient", "MCPClient/clientScripts", "archivematicaCommon", "dashboard"):
            _write(os.path.join(packages, folder, "__init__.py"), "")
        self.make_assets(os.path.join(packages, "MCPClient", "assets"))

    def more_variables(self):
        return {"PATH": f"{self.environment}/bin:/usr/bin:/bin",
                "DJANGO_SETTINGS_MODULE": "archivematica.MCPClient.settings.common",
                "ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER": self.server,
                "ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_SHAREDDIRECTORYMOUNTED": self.shared + "/",
                "ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_ARCHIVEMATICACLIENTMODULES": self.table,
                "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}

    def make_files(self):
        return [self.write_variables()]


class CcpSite(Site):
    """CCP: one root folder, a file of the worker's own, and variables beside it."""

    prefix = "ARCHIVEMATICA_WORKER_DB"
    scripts = "worker/clientScripts"

    def make_code(self):
        self.make_environment(os.path.join(self.root, ".venv"))
        self.copy_code({"MCPClient/clientScripts": "worker/clientScripts", "MCPClient/settings": "settings",
                        "archivematicaCommon": "worker/utils", "dashboard/main": "worker/main"},
                       [("from custom_handlers", "from worker.utils.custom_handlers"),
                        ("from main.models", "from worker.main.models"), ('["main"]', '["worker.main"]')])
        for folder in ("worker", "worker/clientScripts", "worker/utils"):
            _write(os.path.join(self.root, folder, "__init__.py"), "")
        self.make_assets(os.path.join(self.root, "worker", "assets"))

    def more_variables(self):
        return {"PYTHONPATH": self.root}

    def make_files(self):
        conf = _write(os.path.join(self.root, "worker.conf"),
                      f"[main]\ngearman_server = {self.server}\nshared_dir = {self.shared}\n")
        return [conf, self.write_variables(), self.table]
