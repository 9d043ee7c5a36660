"""The page, read in a real Chromium as a reader would: a job server, a worker with tasks, and browser.mjs."""

import json
import os
import subprocess
import tempfile

from support.controller import task, tasks_of
from support.scenario import Scenario
from support.waiting import wait_until
from support.worker import BUILD

from page_site import free_port, write_scripts

FOLDER = os.path.dirname(os.path.abspath(__file__))


class TestPage(Scenario):
    def look_after(self, folder):
        """Everybody's connections, for a moment; where the browser asks for it, the record is held meanwhile."""
        hold = os.path.join(folder, "hold")
        if os.path.exists(hold):
            with self.record.locked():
                os.rename(hold, os.path.join(folder, "held"))
                wait_until(lambda: not os.path.exists(os.path.join(folder, "held")), "the browser to have seen it")
        self.controller.pump(0.1)

    def test_in_a_browser(self):
        port = free_port()
        worker = self.make_worker({"speaks_v0.0": "speaks", "talks": "talks", "gated": "gated",
                                   "shared": "gated"},
                                  {"page_address": f"127.0.0.1:{port}", "page_hosts": "quire.example",
                                   "max_processes": "6"},
                                  functions={"shared": {"concurrent_instances": 1}})
        write_scripts(worker.scripts)
        worker.start()
        self.wait_for_functions(worker, ["speaks_v0.0", "talks", "gated", "shared"])
        # More than a page holds; one of them fails.
        batch = self.controller.submit("speaks_v0.0", tasks_of(*[task(f"'file {i}'") for i in range(59)], task("bad")))
        self.controller.wait([batch])
        talk = self.gate("talk")
        gate = self.gate()
        talking = self.controller.submit("talks", tasks_of(task(talk.path)))
        gated = self.controller.submit("gated", tasks_of(*[task(gate.path) for _ in range(3)]))
        # The first is through, and waits for the second, in whose process it is.
        free, shut = self.gate("free"), self.gate("shut")
        free.open()
        shared = self.controller.submit("shared", tasks_of(task(free.path), task(shut.path)))
        shut.wait_for(1)
        talk.wait_for(1)
        gate.wait_for(1)
        token = os.path.join(worker.settings["state_directory"], "page-token")
        with open(token, encoding="utf-8") as file:
            site = {"page": f"http://127.0.0.1:{port}", "port": port, "token": file.read().strip(),
                    "failed": list(batch.tasks)[-1], "talking": list(talking.tasks)[0], "gated": list(gated.tasks),
                    "shared": list(shared.tasks),
                    "talk": talk.path, "quire": worker.program, "server": self.server.address,
                    "profile": tempfile.mkdtemp(dir=self.folder), "packages": os.path.join(BUILD, "tests", "page")}
        browser = subprocess.Popen(["node", os.path.join(FOLDER, "browser.mjs")], stdin=subprocess.DEVNULL,
                                   env={**os.environ, "SITE": json.dumps(site)})
        try:
            # The controller's connection is looked after while the browser works.
            wait_until(lambda: self.look_after(talk.path) or browser.poll() is not None, "the browser", guard=200)
        finally:
            if browser.poll() is None:
                browser.kill()
            browser.wait(30)
            talk.open()
            gate.open()
            shut.open()
        self.assertEqual(browser.returncode, 0)
        self.controller.wait([talking, gated, shared])
