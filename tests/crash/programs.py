"""Runs the programs under test, and ends them where a test wants it."""
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

TIMEOUT = 120  # seconds; only a program that hangs needs so long

# A folder in memory where there is one: what these tests kill is the process, not the machine.
_FAST = "/dev/shm"
_scratch_parent = _FAST if os.access(_FAST, os.W_OK) else None


def scratch(prefix):
    """A new folder that vanishes with the returned object."""
    return tempfile.TemporaryDirectory(prefix=f"heliograph-{prefix}-", dir=_scratch_parent)


@dataclasses.dataclass
class Ending:
    command: list
    code: int
    output: str
    passed: list  # the names of the failpoints that it came through, in order

    @property
    def killed(self):
        return self.code == -signal.SIGKILL

    def __str__(self):
        return f"{' '.join(map(str, self.command))}\nended with {self.code}, and said:\n{self.output}"


class Programs:
    """The two programs of one build."""

    def __init__(self, folder):
        self.ingestor = pathlib.Path(folder).resolve() / "heliograph-ingestor"
        self.server = pathlib.Path(folder).resolve() / "heliograph-server"

    def run(self, command, failpoint=None, prefix=(), variables=None):
        """Runs to its end; `failpoint` is an order like apply_after_begin:2:kill, `variables` come to the environment."""
        with tempfile.NamedTemporaryFile(dir=_scratch_parent) as log:
            environment = environment_with(failpoint)
            environment["HELIOGRAPH_FAILPOINT_LOG"] = log.name
            environment.update(variables or {})
            whole = [*prefix, *map(str, command)]
            done = subprocess.run(whole, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
            passed = log.read().decode().split()
        return Ending(whole, done.returncode, done.stdout.decode(errors="replace"), passed)

    def check(self, volume):
        return self.run([self.ingestor, "check", "--data", volume])


def environment_with(failpoint):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    if failpoint:
        environment["HELIOGRAPH_FAILPOINT_AT"] = failpoint
    return environment


def programs_from_arguments():
    """The build that the first argument names; the arguments for unittest remain."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER_OF_THE_PROGRAMS")
    return Programs(sys.argv.pop(1))
