"""The Django project of tests/django in the three layouts that sites have, each with the preset that is shipped for it.

The project is kept as Archivematica up to 1.17 has it: folders, flat. In the others the same files are packages,
and what they import of each other has other names.
"""

import configparser
import os
import re
import shutil
import subprocess
import sys

from support.worker import BUILD, TESTS

PROJECT = os.path.join(os.path.dirname(TESTS), "django")
ETC = os.path.join(os.path.dirname(os.path.dirname(TESTS)), "etc")
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = f"{{}}/venv/lib/{PYTHON}/site-packages/archivematica"


class Layout:
    """preset: a file of etc. places: where folders of the project go. names: what modules are called there."""

    def __init__(self, preset, places, names, module, settings, variables):
        self.preset = preset
        self.places = places
        self.names = names
        self.module = module  # the scripts' import prefix
        self.settings = settings
        self.variables = variables

    def lay_out(self, folder):
        """Makes the site below the folder; gives its settings and its environment, as the preset has them."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", f"{folder}/venv"],
                       check=True)
        for source, target in self.places.items():
            self._copy(os.path.join(PROJECT, source), target.format(folder))
        preset = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",))
        preset.optionxform = str
        with open(os.path.join(ETC, self.preset), encoding="utf-8") as file:
            preset.read_string(self._at(folder, file.read()))
        return dict(preset["quire"]), dict(preset["environment"])

    def _copy(self, source, target):
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        if not self.names:
            return
        for folder in [os.path.dirname(target), *(folder for folder, _, _ in os.walk(target))]:
            with open(os.path.join(folder, "__init__.py"), "a", encoding="utf-8"):
                pass
        for folder, _, files in os.walk(target):
            for name in files:
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                for old, new in self.names.items():
                    text = re.sub(rf'(^from |^import |"){old}\b', rf"\g<1>{new}", text, flags=re.MULTILINE)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)

    def _at(self, folder, text):
        for there, here in (("/usr/share/archivematica/virtualenvs/archivematica", f"{folder}/venv"),
                            ("/usr/share/archivematica/dashboard", f"{folder}/dashboard"),
                            ("/usr/lib/archivematica", f"{folder}/lib"),
                            ("/usr/lib/quire", f"{BUILD}/lib/quire"),
                            ("/src/.venv", f"{folder}/venv"),
                            ("/src", f"{folder}/src")):
            text = re.sub(rf"{there}(?=[/\s:])", here, text)
        return re.sub(r"python3\.\d+", PYTHON, text)


ARCHIVEMATICA_VARIABLES = {
    "server": "ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER",
    "database": "ARCHIVEMATICA_MCPCLIENT_CLIENT_",
}

LAYOUTS = {
    "flat": Layout(
        "archivematica/quire-1.17.conf",
        {"MCPClient": "{}/lib/MCPClient", "archivematicaCommon": "{}/lib/archivematicaCommon",
         "dashboard": "{}/dashboard"},
        {}, "clientScripts", "settings.common", ARCHIVEMATICA_VARIABLES),
    "package": Layout(
        "archivematica/quire.conf",
        {name: f"{PACKAGES}/{name}" for name in ("MCPClient", "archivematicaCommon", "dashboard")},
        {"custom_handlers": "archivematica.archivematicaCommon.custom_handlers",
         "main": "archivematica.dashboard.main", "client": "archivematica.MCPClient.client"},
        "archivematica.MCPClient.clientScripts", "archivematica.MCPClient.settings.common", ARCHIVEMATICA_VARIABLES),
    "ccp": Layout(
        "ccp/quire.conf",
        {"MCPClient/clientScripts": "{}/src/worker/clientScripts", "MCPClient/client": "{}/src/worker/client",
         "archivematicaCommon": "{}/src/worker/utils", "dashboard/main": "{}/src/worker/main",
         "MCPClient/settings": "{}/src/settings"},
        {"custom_handlers": "worker.utils.custom_handlers", "main": "worker.main", "client": "worker.client"},
        "worker.clientScripts", "settings.common",
        {"server": "ARCHIVEMATICA_WORKER_MAIN_GEARMAN_SERVER", "database": "ARCHIVEMATICA_WORKER_DB_"}),
}
