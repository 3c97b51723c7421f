"""The programs under test: started, watched and ended; and waiting for what they do, with a deadline and no sleeps."""
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SKIPPED = 77
PATIENCE = 90  # seconds that a condition may take on a crowded machine; a quiet one needs a fraction of a second
os.environ["PATH"] += ":/usr/sbin:/sbin"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def programs_folder():
    """Where the programs are: the first argument of the test, or HELIOGRAPH_PROGRAMS."""
    folder = os.environ.get("HELIOGRAPH_PROGRAMS")
    if not folder:
        raise SystemExit("name the folder of the programs: as the first argument, or in HELIOGRAPH_PROGRAMS")
    return os.path.realpath(folder)


def eventually(what, condition, seconds=PATIENCE, pause=0.02):
    """The first true value of `condition`; an AssertionError that says `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; the last value was {value!r}")
        time.sleep(pause)


class Program:
    """One process that a test started. Its output goes to a file."""

    def __init__(self, arguments, log, **options):
        self.name = os.path.basename(arguments[0])
        self.log_path = log
        with open(log, "ab") as output:
            options.setdefault("stdin", subprocess.DEVNULL)
            self._process = subprocess.Popen(arguments, stdout=output, stderr=output, preexec_fn=_die_with_parent,
                                             **options)
        self.pid = self._process.pid
        self.stdin = self._process.stdin

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def running(self):
        return self._process.poll() is None

    def wait(self, seconds=PATIENCE):
        """The exit code."""
        return self._process.wait(seconds)

    def signal(self, number):
        if self.running():
            self._process.send_signal(number)

    def terminate(self):
        """SIGTERM; the exit code and how many seconds it took."""
        start = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.wait(), time.monotonic() - start

    def kill(self):
        self.signal(signal.SIGKILL)
        self._process.wait()

    def close(self):
        self.kill()
        if self.stdin and not self.stdin.closed:
            try:
                self.stdin.close()
            except BrokenPipeError:
                pass

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def peak_bytes(self):
        """The most that was ever resident."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


class EndToEnd(unittest.TestCase):
    """A test with a temporary folder and programs of its own. The logs are shown when it fails."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heliograph-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
        self._logs = []
        self.addCleanup(self._show_logs_of_a_failure)

    def start(self, *arguments, **options):
        """Starts a program; it ends with the test at the latest."""
        log = os.path.join(self.folder, f"{len(self._logs)}-{os.path.basename(arguments[0])}.log")
        self._logs.append(log)
        program = Program([str(argument) for argument in arguments], log, **options)
        self.addCleanup(program.close)
        return program

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, content):
        """Writes a file into the temporary folder; its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def _show_logs_of_a_failure(self):
        outcome = self._outcome
        # Python 3.11 moved the list of failures to the result.
        failed = any(error for _, error in getattr(outcome, "errors", [])) or any(
            test is self for test, _ in getattr(outcome.result, "failures", []) + getattr(outcome.result, "errors", []))
        if not failed:
            return
        for log in self._logs:
            with open(log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()[-30:]
            if lines:
                print(f"--- {os.path.basename(log)}", *lines, sep="\n", file=sys.stderr)


def main(module="__main__"):
    """unittest.main, after the folder of the programs was taken from the arguments. Ends with 77 when nothing ran."""
    arguments = sys.argv[:1]
    for argument in sys.argv[1:]:
        if os.path.isdir(argument):
            os.environ["HELIOGRAPH_PROGRAMS"] = argument
        else:
            arguments.append(argument)
    for name in ("heliograph-ingestor", "heliograph-server"):
        if not os.access(os.path.join(programs_folder(), name), os.X_OK):
            raise SystemExit(f"{name} is not in {programs_folder()}: build it first")
    sys.stdout.reconfigure(line_buffering=True)
    program = unittest.main(module=module, argv=arguments, verbosity=2, exit=False)
    result = program.result
    for _, reason in result.skipped:
        print(f"skipped: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and result.testsRun <= len(result.skipped) else 0)


def listening_port(program):
    """The port that the server's log names."""
    def named():
        found = re.search(r"listening on http://[^:\s]+:(\d+)", program.log())
        if not found and not program.running():
            raise AssertionError(f"the server ended with {program.wait()}:\n{program.log()}")
        return found and int(found[1])
    return eventually("the server listens", named)
