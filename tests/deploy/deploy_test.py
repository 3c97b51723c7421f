"""What deploy/ ships, tried as far as that needs neither systemd nor containers."""
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
DEPLOY = os.path.join(ROOT, "deploy")
os.environ["PATH"] += ":/usr/sbin:/sbin"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class InTemporaryFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Summary(InTemporaryFolder):
    """The last line and the exit code of deploy/test.sh."""

    PASSED = '<testcase name="a" status="run"><system-out/></testcase>'
    FAILED = '<testcase name="b" status="fail"><failure message=""/></testcase>'
    MISSING = '<testcase name="c" status="notrun"><skipped message="Unable to find executable"/></testcase>'
    SKIPPED = ('<testcase name="d" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
               "<system-out>skipped: needs root</system-out></testcase>")

    def run_summary(self, cases, ctest_code):
        junit = self.write("junit.xml", f"<testsuite>{''.join(cases)}</testsuite>")
        done = subprocess.run([os.path.join(DEPLOY, "test-summary.py"), junit, str(ctest_code)],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    def test_passed(self):
        self.assertEqual(self.run_summary([self.PASSED], 0), (0, ["1 passed, 0 failed"]))

    def test_a_failure_fails_whatever_ctest_says(self):
        self.assertEqual(self.run_summary([self.PASSED, self.FAILED], 0), (1, ["failed: b", "1 passed, 1 failed"]))
        self.assertEqual(self.run_summary([self.PASSED, self.FAILED], 8)[0], 8)

    def test_a_missing_program_is_a_failure_and_no_skip(self):
        code, lines = self.run_summary([self.PASSED, self.MISSING], 0)
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed"))

    def test_a_skip_is_named_with_its_reason(self):
        code, lines = self.run_summary([self.PASSED, self.SKIPPED], 0)
        self.assertEqual((code, lines), (0, ["skipped: d: needs root", "1 passed, 0 failed"]))

    def test_the_reason_is_found_where_each_framework_puts_it(self):
        for said in ("[ RUN      ] d\na.cpp:1: Skipped\nno broker\n\n[  SKIPPED ] d (0 ms)\n",
                     "test_d (x) ... skipped 'no broker'\n\nOK (skipped=1)\n", "words\nskipped: no broker\n", "no broker\n"):
            _, lines = self.run_summary([self.PASSED, self.SKIPPED.replace("skipped: needs root", said)], 0)
            self.assertEqual(lines[0], "skipped: d: no broker")

    def test_nothing_passed_is_a_failure(self):
        for cases in ([], [self.SKIPPED]):
            code, lines = self.run_summary(cases, 0)
            self.assertEqual((code, lines[-1]), (1, "0 passed, 0 failed"))


class Install(InTemporaryFolder):
    """deploy/install.sh below DESTDIR."""

    def install(self, **environment):
        for program in ("heliograph-ingestor", "heliograph-server"):
            os.chmod(self.write(f"bin/{program}", "#!/bin/sh\n"), 0o755)
        return subprocess.run([os.path.join(DEPLOY, "install.sh"), os.path.join(self.folder, "bin")],
                              env={**os.environ, "DESTDIR": os.path.join(self.folder, "out"), **environment},
                              capture_output=True, text=True, check=False)

    def installed(self, path):
        return os.path.join(self.folder, "out", path)

    def mode(self, path):
        return stat.S_IMODE(os.stat(self.installed(path)).st_mode)

    def test_puts_everything_below_the_prefix(self):
        done = self.install(PREFIX="/opt/mesh")
        self.assertEqual(done.returncode, 0, done.stderr)
        for path, mode in (("bin/heliograph-server", 0o755), ("lib/systemd/system/heliograph-ingestor.service", 0o644),
                           ("lib/sysusers.d/heliograph.conf", 0o644), ("lib/tmpfiles.d/heliograph.conf", 0o644),
                           ("share/doc/heliograph/LICENSE", 0o644)):
            self.assertEqual(self.mode(f"opt/mesh/{path}"), mode, path)
        with open(self.installed("opt/mesh/lib/systemd/system/heliograph-server.service"), encoding="utf-8") as unit:
            self.assertIn("ExecStart=/opt/mesh/bin/heliograph-server run", unit.read())

    def test_the_configuration_is_for_its_owner_alone_and_is_kept(self):
        self.assertEqual(self.install().returncode, 0)
        self.assertEqual(self.mode("etc/heliograph/config.json"), 0o600)
        kept = self.write("out/etc/heliograph/config.json", '{"apiKey": "mine"}')
        self.assertEqual(self.install().returncode, 0)
        with open(kept, encoding="utf-8") as file:
            self.assertEqual(file.read(), '{"apiKey": "mine"}')

    def test_says_what_is_missing(self):
        done = subprocess.run([os.path.join(DEPLOY, "install.sh"), self.folder], capture_output=True, text=True,
                              env={**os.environ, "DESTDIR": self.folder}, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no heliograph-ingestor", done.stderr)


class Modes(unittest.TestCase):
    """The modes of the volume, which three ways of deployment and one test state."""

    WANTED = {"db": "2750", "queue": "2770", "queue/tmp": "2770", "queue/new": "2770", "queue/failed": "2770"}

    def test_tmpfiles(self):
        lines = read("deploy/systemd/tmpfiles.d/heliograph.conf").splitlines()
        found = {fields[1][len("/var/lib/heliograph/"):]: (fields[2], fields[3], fields[4])
                 for fields in map(str.split, lines) if fields[:1] == ["d"] and fields[1] != "/var/lib/heliograph"}
        self.assertEqual(found, {folder: (mode, "heliograph-ingestor", "heliograph")
                                 for folder, mode in self.WANTED.items()})

    def test_compose(self):
        found = {}
        for mode, folders in re.findall(r"install -d -m (2\d+) -o 8701 -g 8700 ((?:/data/\S+ ?)+)",
                                        read("deploy/compose.yaml")):
            found.update({folder[len("/data/"):]: mode for folder in folders.split()})
        self.assertEqual(found, self.WANTED)

    def test_the_server_mounts_the_database_read_only_and_the_queue_once(self):
        server = read("deploy/compose.yaml").split("\n  server:\n", 1)[1].split("\n  broker:\n", 1)[0]
        self.assertEqual(re.findall(r"/data/\w+(?::ro)?$", server, re.MULTILINE), ["/data/db:ro", "/data/queue"])
        unit = read("deploy/systemd/heliograph-server.service")
        self.assertIn("\nReadOnlyPaths=/var/lib/heliograph/db\n", unit)
        self.assertIn("\nReadWritePaths=/var/lib/heliograph/queue\n", unit)


class Configuration(unittest.TestCase):
    """The examples, and the table in README."""

    def test_every_key_of_the_examples_is_in_the_table(self):
        documented = set(re.findall(r"\w+", " ".join(re.findall(r"^\| `.*$", read("README.md"), re.MULTILINE))))
        for name in ("config.example.json", "compose.config.json"):
            for key, value in json.loads(read("deploy", name)).items():
                inner = value[0] if isinstance(value, list) and value else value
                keys = [key, *(inner if isinstance(inner, dict) else ())]
                self.assertEqual([key for key in keys if key not in documented], [], name)


class Units(InTemporaryFolder):
    """The systemd units, as systemd itself reads them."""

    def test_systemd_finds_no_fault(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("this machine has no systemd-analyze")
        units = []
        for name in ("heliograph-ingestor.service", "heliograph-server.service"):
            # The programs are not installed here.
            text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", read("deploy/systemd", name))
            units.append(self.write(name, re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE)))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
        faults = [line for line in (done.stdout + done.stderr).splitlines() if "heliograph-" in line]
        self.assertEqual(faults, [])


class Broker(InTemporaryFolder):
    """deploy/mosquitto.conf, with other ports and folders."""

    def setUp(self):
        super().setUp()
        if not shutil.which("mosquitto"):
            self.fail("no mosquitto; run deploy/install-deps.sh test")
        os.chmod(self.folder, 0o777)  # started by root, the broker becomes a user of its own
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            second.bind(("127.0.0.1", 0))
            self.port = first.getsockname()[1]
            websocket = second.getsockname()[1]
        text = read("deploy/mosquitto.conf").replace("listener 1883 ", f"listener {self.port} ")
        text = text.replace("listener 9001 ", f"listener {websocket} ").replace("/var/lib/mosquitto/", self.folder + "/")
        self.configuration = self.write("mosquitto.conf", text)

    def start(self):
        broker = subprocess.Popen(["mosquitto", "-c", self.configuration], stderr=subprocess.PIPE)
        self.addCleanup(broker.stderr.close)
        self.addCleanup(broker.wait)
        self.addCleanup(broker.kill)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return broker
            except OSError:
                self.assertIsNone(broker.poll(), "the broker has ended")
                self.assertLess(time.monotonic(), deadline, "the broker does not listen")
                time.sleep(0.05)

    def client(self, program, *arguments):
        return subprocess.run([program, "-h", "127.0.0.1", "-p", str(self.port), *arguments],
                              capture_output=True, text=True, check=True, timeout=20).stdout

    def test_keeps_what_arrives_while_the_ingestor_is_away_and_over_its_own_restart(self):
        session = ["-i", "ingestor", "-c", "-q", "1", "-t", "meshcore/#"]
        broker = self.start()
        self.client("mosquitto_sub", *session, "-E")
        for number in range(3):
            self.client("mosquitto_pub", "-q", "0", "-t", "meshcore/TST/A/packets", "-m", f"message {number}")
        broker.terminate()
        self.assertEqual(broker.wait(10), 0)
        self.start()
        kept = self.client("mosquitto_sub", *session, "-C", "3", "-W", "10").splitlines()
        self.assertEqual(kept, [f"message {number}" for number in range(3)])


if __name__ == "__main__":
    unittest.main()
