"""The Debian package: made, judged by lintian, installed, used, removed and purged on a scratch root.

The scratch root is this machine's own, seen through an overlay in memory: dpkg, its database and all libraries are
real, and nothing that is done there stays. It takes root and the right to mount, which a container may not have.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from support.job_server import JobServer
from support.worker import BUILD

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What is done on the scratch root; a sentence and exit code 1 where something is not as it should be.
ON_THE_SCRATCH_ROOT = r"""
set -euo pipefail
deb=$1 folder=$2 port=$3
trap 'echo "failed in line $LINENO: $BASH_COMMAND" >&2' ERR
fail() { echo "$1" >&2; exit 1; }
wait_for() { for _ in {1..600}; do "$@" && return; kill -0 "$worker" || break; sleep 0.05; done; fail "it did not come: $*"; }

# Whatever this machine has of ours is not there. The packages that ours depends on are those that it was built with.
! getent passwd quire >/dev/null || userdel quire
rm -rf /etc/quire /var/lib/quire
dpkg --no-triggers --force-depends -i "$deb" >"$folder/dpkg.log" 2>&1
dpkg --audit quire | grep . && fail "dpkg has something to say of the package."
[[ $(dpkg-query -W -f '${Conffiles}' quire | grep -c /etc/quire/) == 2 ]]
[[ $(stat -c %U:%G:%a /var/lib/quire) == quire:quire:750 ]]
[[ $(getent passwd quire | cut -d: -f7) == /usr/sbin/nologin ]]
man -l /usr/share/man/man1/quire-worker.1.gz | grep -q 'quire worker'
quire scripts check >"$folder/check.log"

# The worker as its unit starts it: the user, the folder, the command; only the job server is ours.
sed -i "s/^#gearman_servers = .*/gearman_servers = 127.0.0.1:$port/" /etc/quire/quire.conf
command=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/quire-worker.service)
cd /var/lib/quire
# shellcheck disable=SC2086
setpriv --reuid=quire --regid=quire --init-groups --no-new-privs env -i PATH=/usr/bin:/bin $command \
  </dev/null >"$folder/worker.log" 2>&1 &
worker=$!
trap 'kill -KILL $worker 2>/dev/null || true' EXIT
offered() { kill -0 $worker && quire submit hello --timeout 10 -- World >"$folder/results.txt" 2>&1; }
wait_for offered
grep -q 'Hello, World' "$folder/results.txt"
seq 200 | quire submit hello_python --file - --format csv >"$folder/batch.csv" 2>"$folder/summary.txt"
grep -q '200 tasks: 200 succeeded' "$folder/summary.txt"
[[ $(stat -c %U /var/lib/quire/record.sqlite) == quire ]]
kill -TERM $worker
wait $worker

# Removed, the settings and the record stay; purged, nothing does (looked at from outside).
dpkg --no-triggers -r quire >>"$folder/dpkg.log" 2>&1
[[ ! -e /usr/bin/quire && -e /etc/quire/quire.conf && -e /var/lib/quire/record.sqlite ]]
dpkg --no-triggers --purge quire >>"$folder/dpkg.log" 2>&1
! getent passwd quire >/dev/null || fail "the user quire is still there after the purge."
"""

# An overlay needs a file system below that is not one itself, so what is written goes into memory.
SCRATCH_ROOT = r"""
set -eu
root=$1
mount -t tmpfs -o mode=755 scratch "$root"
mkdir "$root/upper" "$root/work" "$root/merged"
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" overlay "$root/merged"
mount -t proc proc "$root/merged/proc"
mount --rbind /dev "$root/merged/dev"
mount -t tmpfs run "$root/merged/run"
mkdir -p "$root/merged$2"
mount --bind "$2" "$root/merged$2"
shift
folder=$1
shift
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root/merged" bash "$folder/steps" "$@"

# The upper layer has all that was written; a character device stands there for what was removed.
left=$(find "$root/upper" -path "$root/upper/tmp" -prune -o -name '*quire*' ! -type c -print)
[ -z "$left" ] || { echo "left behind after the purge: $left"; exit 1; }
"""


def run(*words, **options):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, check=False, **options)


class TestPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="quire-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        made = run("cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", cls.folder, cwd=cls.folder)
        cls.packages = [name for name in os.listdir(cls.folder) if name.endswith(".deb")]
        assert made.returncode == 0 and len(cls.packages) == 1, made.stdout
        cls.deb = os.path.join(cls.folder, cls.packages[0])

    def test_lintian_accepts_it(self):
        ended = run("lintian", "--allow-root", "--fail-on", "error,warning", self.deb)
        self.assertEqual((ended.returncode, ended.stdout), (0, ""))

    def test_it_names_who_answers_for_it(self):
        with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
            (maintainer,) = re.findall(r"^QUIRE_MAINTAINER:STRING=(.*)$", cache.read(), re.MULTILINE)
        self.assertEqual(run("dpkg-deb", "-f", self.deb, "Maintainer").stdout.strip(), maintainer)

    def test_a_maintainer_without_an_address_is_refused(self):
        ended = run("cmake", "-S", SOURCE, "-B", os.path.join(self.folder, "build"), "-G", "Ninja", "-DQUIRE_TESTS=OFF",
                    "-DQUIRE_MAINTAINER=The archive's office")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn('give it as "Name <address>"', " ".join(ended.stdout.split()))

    def test_its_dependencies_are_found_by_dpkg_shlibdeps(self):
        depends = run("dpkg-deb", "-f", self.deb, "Depends").stdout
        for library in ("libc6", "libgearman8", "libboost-json1.81.0", "adduser", "python3:any"):
            self.assertIn(library, depends)

    def test_installed_used_removed_purged(self):
        if os.geteuid() != 0 or run("unshare", "--mount", "true").returncode != 0:
            print("The package was not installed: a scratch root takes root and the right to mount.")
            return
        server = JobServer(self.folder)
        self.addCleanup(server.stop)
        with open(os.path.join(self.folder, "steps"), "w", encoding="utf-8") as steps:
            steps.write(ON_THE_SCRATCH_ROOT)
        with open(os.path.join(self.folder, "begin"), "w", encoding="utf-8"):
            pass
        root = os.path.join(self.folder, "root")
        os.mkdir(root)
        os.chmod(self.folder, 0o755)
        ended = run("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", SCRATCH_ROOT, "bash", root,
                    self.folder, self.deb, self.folder, str(server.port))
        self.assertEqual(ended.returncode, 0, ended.stdout + self.logs())

    def logs(self):
        text = ""
        for name in ("dpkg.log", "worker.log", "results.txt", "summary.txt"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += f"\n== {name}\n{file.read()[-2000:]}"
        return text


if __name__ == "__main__":
    unittest.main()
