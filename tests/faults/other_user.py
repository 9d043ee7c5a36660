"""A worker that is not root's, also where the tests are: some limits do not hold for root."""

import os
import pwd
import shutil
import subprocess

from support.worker import BUILD

ROOT = os.geteuid() == 0
NAME = "daemon"


def prepare(scenario, worker, *scripts):
    """Makes the worker run as another user where we are root. scripts: files that it is to find."""
    for script in scripts:
        shutil.copy(script, worker.scripts)
    worker.settings["client_scripts"] = worker.scripts
    if ROOT:
        user = pwd.getpwnam(NAME)
        worker.settings["user"] = NAME
        # The build may be where only root can go.
        installed = os.path.join(scenario.folder, "installed")
        for part in ("libexec", "share"):
            shutil.copytree(os.path.join(BUILD, part), os.path.join(installed, part))
        os.makedirs(os.path.join(installed, "bin"))
        worker.program = shutil.copy(worker.program, os.path.join(installed, "bin"))
        os.chmod(scenario.folder, 0o755)
        for path in (worker.folder, worker.config, worker.scripts):
            os.chown(path, user.pw_uid, user.pw_gid)
    worker.write_config()
    return worker


def limit_processes(pid, soft):
    """Sets how many processes the user of this process may have for it to start one more; its user may do so."""
    as_user = ["setpriv", f"--reuid={NAME}", f"--regid={NAME}", "--clear-groups"] if ROOT else []
    subprocess.run([*as_user, "prlimit", f"--pid={pid}", f"--nproc={soft}:"], check=True)
