"""Programs under the eye of heliograph-operation-counter.so, which counts what they change below a folder, and ends them at
one of these operations."""
import dataclasses
import os
import pathlib
import tempfile

WRITES = ("write", "pwrite", "pwrite64", "writev", "pwritev")


def can_tear(operation):
    """Whether half of it can have happened; what only makes or removes a name is whole or not there."""
    return operation.split(" ")[0] in WRITES


@dataclasses.dataclass(frozen=True)
class Moment:
    """The operation with that number, from 1, and what happens there instead of it."""
    number: int
    action: str  # kill, tear or error
    operation: str = ""  # what it was in the run without a crash

    def order(self):
        return f"{self.number}:{self.action}"

    def __str__(self):
        return f"operation {self.number} ({self.action} at '{self.operation}')"


def moments(operations, action):
    """Where a run of these operations can meet the action."""
    return [Moment(number, action, operation) for number, operation in enumerate(operations, 1)
            if action != "tear" or can_tear(operation)]


class OperationCounter:

    def __init__(self, programs):
        self._programs = programs
        self._library = programs.ingestor.parent / "heliograph-operation-counter.so"
        if not self._library.exists():
            raise SystemExit(f"{self._library} is missing: build the target heliograph_operation_counter")

    def environment(self, folder, log, moment=None):
        environment = {
            "LD_PRELOAD": str(self._library),
            # A build with AddressSanitizer wants to be first, and works as well as second.
            "ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"))),
            "HELIOGRAPH_OPERATION_FOLDER": os.path.realpath(folder),
            "HELIOGRAPH_OPERATION_LOG": str(log),
        }
        if moment:
            environment["HELIOGRAPH_OPERATION_AT"] = moment.order()
        return environment

    def run(self, command, folder, moment=None, prefix=()):
        """Returns the ending, and the operations in the folder in their order; the last is the one that was ended at."""
        with tempfile.TemporaryDirectory(dir=pathlib.Path(folder).parent) as room:
            log = pathlib.Path(room) / "operations"
            log.touch()
            ending = self._programs.run(command, prefix=prefix, variables=self.environment(folder, log, moment))
            return ending, log.read_text().splitlines()


def faults_of_death(ending, operations, moment):
    """What says that the process did not die where it was to die."""
    if not ending.killed:
        return [f"it did not die by SIGKILL at {moment}, but after {len(operations)} operations: {ending}"]
    if len(operations) != moment.number:
        return [f"it died at operation {len(operations)} instead of {moment}"]
    return []
