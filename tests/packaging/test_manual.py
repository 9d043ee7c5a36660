"""The manual, and the completion of the shells: both come from what the commands say of themselves."""

import glob
import gzip
import os
import shutil
import subprocess
import tempfile
import unittest

from support.worker import BUILD

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
QUIRE = os.path.join(BUILD, "bin", "quire")
ENVIRONMENT = {"PATH": f"{BUILD}/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


def run(*words):
    return subprocess.run(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, check=False)


def parts(*command):
    """The words that may follow, each with what may follow it: {"scripts": {"list": {}, …}, …}"""
    rows = [line.split("\t") for line in run(QUIRE, *command, "--help=words").stdout.splitlines()]
    return {row[1]: parts(*command, row[1]) for row in rows if row[0] == "part"}


class TestManual(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="quire-manual-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.pages = {}
        for path in glob.glob(f"{BUILD}/share/man/man*/*.gz"):
            name = os.path.basename(path).removesuffix(".gz")
            with gzip.open(path, "rb") as packed, open(os.path.join(self.folder, name), "wb") as page:
                page.write(packed.read())
            self.pages[name] = os.path.join(self.folder, name)

    def text(self, name):
        return run("man", "-l", self.pages[name]).stdout

    def test_every_command_has_its_page(self):
        names = {"quire.1", "quire.conf.5"}
        todo = [("quire", parts())]
        while todo:
            name, inner = todo.pop()
            names.add(f"{name}.1")
            todo += [(f"{name}-{part}", below) for part, below in inner.items()]
        self.assertGreater(len(names), 6)
        self.assertEqual(names, set(self.pages))

    def test_man_and_mandoc_find_nothing_to_warn_of(self):
        for page in self.pages.values():
            shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                                   env={**ENVIRONMENT, "MANROFFSEQ": "", "MANWIDTH": "80"},
                                   capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), page)
        lint = run("mandoc", "-T", "lint", "-W", "warning", *self.pages.values())
        self.assertEqual((lint.returncode, lint.stdout), (0, ""))

    def test_every_setting_is_in_quire_conf(self):
        text = self.text("quire.conf.5")
        with open(os.path.join(REPOSITORY, "etc", "quire.conf"), encoding="utf-8") as configuration:
            names = [line[1:].split(" =")[0] for line in configuration if line.startswith("#") and " =" in line]
        self.assertGreater(len(names), 30)
        for name in names:
            if name != "DJANGO_SETTINGS_MODULE":
                self.assertIn(f"       {name} = ", text)

    def test_every_option_of_a_command_is_in_its_page(self):
        rows = [row.split("\t") for row in run(QUIRE, "submit", "--help=words").stdout.splitlines()]
        options = [row[1] for row in rows if row[0] == "option"]
        own = options[:options.index("-h") + 1]  # settings follow; they are in quire.conf(5)
        self.assertLessEqual({"-f", "--file", "--format", "--config"}, set(own))
        text = self.text("quire-submit.1")
        for option in own:
            self.assertRegex(text, rf"(?m)^       (-\w, )?{option}\b")
        self.assertIn("       --format table|json|csv\n", text)


BASH = r"""
. /usr/share/bash-completion/bash_completion
. "$1/etc/completion/quire.bash"
shift
COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_quire
printf '%s\n' "${COMPREPLY[@]}"
"""


class TestCompletion(unittest.TestCase):
    """bash and fish complete the same lines to the same words."""

    def in_bash(self, *words):
        ended = run("bash", "-c", BASH, "bash", REPOSITORY, *words)
        self.assertEqual(ended.stderr, "")
        return set(ended.stdout.split("\n")) - {""}

    def in_fish(self, *words):
        with tempfile.TemporaryDirectory(prefix="quire-fish-") as home:
            ended = subprocess.run(
                ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                 os.path.join(REPOSITORY, "etc", "completion", "quire.fish"), " ".join(words)],
                env={**ENVIRONMENT, "HOME": home}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120, check=False)
        self.assertEqual(ended.stderr, "")
        return {line.split("\t")[0] for line in ended.stdout.splitlines()}

    def check(self, words, expected):
        for shell in (self.in_bash, self.in_fish):
            with self.subTest(shell=shell.__name__, words=words):
                self.assertEqual(shell(*words), expected)

    def test_commands_and_their_parts(self):
        self.check(["quire", ""], set(parts()))
        self.check(["quire", "wor"], {"worker"})
        self.check(["quire", "scripts", ""], set(parts()["scripts"]))

    def test_options_are_those_of_the_command(self):
        self.check(["quire", "submit", "--batch"], {"--batch-size"})
        self.check(["quire", "worker", "--gearman"], {"--gearman-servers"})
        self.check(["quire", "scripts", "new", "--py"], {"--python", "--python-path", "--python-prefix"})

    def test_values(self):
        self.check(["quire", "submit", "--format", ""], {"table", "json", "csv"})
        self.check(["quire", "worker", "--no-new-privileges", "y"], {"yes"})

    def test_functions_are_those_of_the_module_table(self):
        rows = run(QUIRE, "scripts", "list").stdout.splitlines()[1:]
        functions = {row.split()[0] for row in rows}
        self.assertIn("checksum_v0.0", functions)
        for command in ("submit", "try"):
            self.check(["quire", command, ""], functions)
        self.check(["quire", "submit", "checksum_"], {"checksum_v0.0"})


if __name__ == "__main__":
    unittest.main()
