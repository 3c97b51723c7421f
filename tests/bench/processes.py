"""The programs that are measured: run to their end, or running; and how busy the machine is with other things."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 600  # seconds


def wait_until(what, condition, seconds=_PATIENCE, pause=0.005):
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return value


def _busy_seconds():
    """Seconds that all cores together have worked since the machine's start."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICK


def busy_cores(seconds=0.5):
    """How many cores are at work just now."""
    begin, busy = time.monotonic(), _busy_seconds()
    time.sleep(seconds)
    return (_busy_seconds() - busy) / (time.monotonic() - begin)


class Quiet:
    """Waits before a measurement until others leave the machine alone."""

    def __init__(self, most_busy, patience):
        self._most_busy = most_busy
        self._patience = patience

    def wait(self):
        """Returns the load that the figure is to be stated with."""
        deadline = time.monotonic() + self._patience
        while (busy := busy_cores()) > self._most_busy and time.monotonic() < deadline:
            time.sleep(1)
        return f"{busy:.1f} cores busy, loadavg {os.getloadavg()[0]:.1f}"


@dataclasses.dataclass
class Finished:
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    others: float  # cores that were busy with other things meanwhile
    output: str


def run(command):
    """Runs to the end, which must be a success."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as log:
        busy, begin = _busy_seconds(), time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                              text=True) as process:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begin
        if process.returncode != 0:
            log.seek(0)
            said = log.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode} and said:\n{said}")
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(seconds, cpu, usage.ru_maxrss * 1024, max(0, _busy_seconds() - busy - cpu) / seconds, output)


def run_json(command):
    """What the program printed."""
    return json.loads(run(command).output)


class Running:
    """A program that was started; its output is in `log`, or in a pipe when `stdout` says so. Use with `with`."""

    def __init__(self, command, log, **options):
        self.log = pathlib.Path(log)
        self.started = time.monotonic()
        with open(self.log, "wb") as output:
            options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options}
            self.process = subprocess.Popen([str(part) for part in command], **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def logged(self, pattern, seconds=60):
        """The match of the pattern in the log, as soon as there is one."""
        def find():
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if not found and self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}; see {self.log}")
            return found
        return wait_until(f"{pattern!r} in {self.log}", find, seconds, pause=0.002)

    def port(self):
        return int(self.logged(r"listening on http://[^\s]+:(\d+)")[1])

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / _TICK

    def memory(self, what="VmRSS"):
        """Bytes; VmHWM is the peak."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024


class Programs:
    """The programs of one build."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder).resolve()
        for name in ("heliograph-ingestor", "heliograph-server", "meshsim", "sqlite_ceiling", "http_ceiling",
                     "capture_publisher", "capability_benchmark", "history_benchmark"):
            if not os.access(self._folder / name, os.X_OK):
                raise SystemExit(f"{name} is not in {self._folder}: build the preset bench first")

    def __getitem__(self, name):
        return self._folder / name
