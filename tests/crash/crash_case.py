"""One crash, or several in a row, and everything that must hold after each of them and at the end."""
import dataclasses
import json
import pathlib
import shutil
import tempfile

import database_state
from operation_counter import faults_of_death

APPLICATION = ("apply_", "refuse_", "branch_", "pin_", "revert_", "cluster_")


@dataclasses.dataclass(frozen=True)
class Place:
    """The moment when a process passes a failpoint for the `hit`th time."""
    point: str
    hit: int = 1

    def order(self, action):
        return f"{self.point}:{self.hit}:{action}"

    def __str__(self):
        return self.point if self.hit == 1 else f"{self.point}, pass {self.hit}"


def places(passed):
    """Where a run could have been ended, of which `passed` are the failpoints."""
    seen = {}
    for point in passed:
        seen[point] = seen.get(point, 0) + 1
        yield Place(point, seen[point])


def files_recorded(passed):
    """How many files the ledger learned of in a run. A recovery comes past the commit of a refusal without making one when
    the file is in the ledger already."""
    refusals = sum(pair == ("refuse_before_commit", "refuse_after_commit") for pair in zip(passed, passed[1:]))
    return passed.count("apply_after_commit") + refusals


class CrashCase:
    """A volume as a step of the golden run met it, on which that step is tried again."""

    def __init__(self, golden, step):
        self.golden = golden
        self.programs = golden.programs
        self.step = step
        self._room = tempfile.TemporaryDirectory(dir=golden.room, prefix="case-")
        self.volume = pathlib.Path(self._room.name) / "volume"
        shutil.copytree(step.before, self.volume)
        self.recorded = 0  # files of this step that the ledger must know by now
        self.untold = 0  # how many more it may know, when the death came between two failpoints
        self.faults = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._room.cleanup()

    def expect(self, holds, text):
        if not holds:
            self.faults.append(text)

    # --- Runs -------------------------------------------------------------------------------------------------------

    def run(self, failpoint=None):
        return self.programs.run(self.step.command(self.programs, self.volume), failpoint)

    def crash(self, place):
        """Runs until SIGKILL comes at the place, and looks at what is left. Returns the state of the raw database."""
        ending = self.run(place.order("kill"))
        self.expect(ending.killed, f"it did not die by SIGKILL at {place}: {ending}")
        self.expect(bool(ending.passed) and ending.passed[-1] == place.point, f"it died elsewhere than at {place}")
        self.recorded += files_recorded(ending.passed)
        return self.look_at_the_remains()

    def crash_at_operation(self, counter, moment):
        """Runs until SIGKILL comes at that operation, and looks at what is left. Returns the state of the raw database."""
        ending, operations = counter.run(self.step.command(self.programs, self.volume), self.volume, moment)
        self.faults += faults_of_death(ending, operations, moment)
        self.recorded += files_recorded(ending.passed)
        self.untold = 1
        return self.look_at_the_remains()

    def recover(self):
        """Runs to the end without a crash; afterwards all must be as if there never had been one."""
        done_already = self._recorded_and_still_waiting()
        ending = self.run()
        self.expect(ending.code == 0, f"the run after the crash failed: {ending}")
        self.compare_with_golden("after the run that follows the crash")
        audit = database_state.audit(self.volume)
        cleaned = [entry for action, entry in audit if action == "cleaned_marker"]
        for entry in done_already:
            self.expect(entry in cleaned, f"the audit does not tell that {entry} was found to be done already")
        # To find it done again is no second effect; to roll it forward again would be one.
        effects = [row for row in audit if row[0] != "cleaned_marker"]
        self.expect(len(effects) == len(set(effects)), f"the audit tells the same twice: {effects}")
        return ending

    def _recorded_and_still_waiting(self):
        listing = database_state.queue_listing(self.volume)
        waiting = {file.ledger_id for file in self.step.files if file.readable and f"new/{file.name}" in listing}
        if not waiting:
            return set()
        return waiting & {json.loads(row)["id"] for row in database_state.read_volume(self.volume)["ledger"]}

    def run_once_more(self):
        """Nothing is left to do, so nothing may change."""
        audit = database_state.audit(self.volume)
        ending = self.run()
        self.expect(ending.code == 0, f"one run more failed: {ending}")
        self.compare_with_golden("after one run more")
        self.expect(database_state.audit(self.volume) == audit, "one run more found something to recover")

    # --- What must hold -----------------------------------------------------------------------------------------------

    def look_at_the_remains(self):
        with database_state.raw_copy(self.volume, self._room.name) as database:
            self.expect(not (faults := database_state.page_faults(database)), f"the raw database is damaged: {faults}")
            has_schema = database.execute("SELECT count(*) FROM sqlite_schema WHERE name='branch'").fetchone()[0] > 0
            # Each migration is whole or not there, so that a first start may end between two of them.
            is_current = database_state.schema_version(database) == self.golden.schema_version
            state = database_state.read(database)
            if has_schema:
                self.expect(not (faults := database_state.feed_faults(database)), f"{faults}")
        if has_schema:
            self._expect_a_prefix(state)
            self._expect_files_where_the_ledger_says(state)
        else:
            self.expect(self.step.state_before is None and not any(state.values()), "half a schema is left")
        self.expect(is_current or self.step.state_before is None, "a database that was current has an older schema")
        self._expect_check_to_agree(has_schema, is_current)
        return state

    def _expect_check_to_agree(self, has_schema, is_current):
        check = self.programs.check(self.volume)
        faults = [line for line in check.output.splitlines() if line.startswith("FAULT")]
        queue = database_state.queue_listing(self.volume) if is_current else {}
        set_aside = any(name.startswith("failed/") for name in queue)
        explained = [line for line in faults if
                     (set_aside and line.startswith("FAULT the queue has ")) or
                     (self.step.state_before is None and line.startswith("FAULT missing: "))]
        self.expect(faults == explained, f"`check` finds faults after the crash: {check}")
        self.expect(check.code == (1 if faults else 0), f"`check` ends with another code than its faults: {check}")
        self.expect(set_aside == any("the queue has" in line for line in faults), f"`check` misses failed/: {check}")

    def _expect_a_prefix(self, state):
        """Of the ledger, the commits, the feed and the observations there is a first part, and of each the same."""
        before = self.step.state_before or {}
        known = {json.loads(row)["id"] for row in before.get("ledger", [])}
        order = [file.ledger_id for file in sorted(self.step.files, key=lambda f: (f.unsafe_name is not None, f.name))]
        now = {json.loads(row)["id"] for row in state["ledger"]} - known
        self.expect(self.recorded <= len(now) <= self.recorded + self.untold and now == set(order[:len(now)]),
                    f"the ledger knows {sorted(now)}, and the first {self.recorded} of {order} were recorded")
        self.recorded, self.untold = len(now), 0
        final = {json.loads(row)["id"]: row for row in self.step.state["ledger"]}
        for row in state["ledger"]:
            self.expect(final.get(json.loads(row)["id"]) == row, f"the ledger says otherwise than at the end: {row}")
        commits = self.step.state["commit_log"]
        self.expect(state["commit_log"] == commits[:len(state["commit_log"])], "the commits are no prefix")
        for row in state["change_log"]:
            self.expect(self.golden.history.get(json.loads(row)["seq"]) == row, f"the feed has a row of its own: {row}")
        if not any(point.startswith("retention") for point in self.step.passed) or self.step.capture:
            rows = self.step.state["observations"]
            self.expect(state["observations"] == rows[:len(state["observations"])], "the observations are no prefix")

    def _expect_files_where_the_ledger_says(self, state):
        """A file that is gone was recorded; one that was not recorded waits; and none is in two places."""
        recorded = {json.loads(row)["id"] for row in state["ledger"]}
        listing = database_state.queue_listing(self.volume)
        for file in self.step.files:
            waits = f"new/{file.name}" in listing
            aside = sum(content == file.content() for name, content in listing.items() if name.startswith("failed/"))
            self.expect(waits or file.ledger_id in recorded, f"{file.name} is gone, and the ledger does not know it")
            self.expect(aside + waits <= 1, f"{file.name} is in the queue {aside + waits} times")

    def compare_with_golden(self, when):
        for line in database_state.difference(self.step.state, database_state.read_volume(self.volume)):
            self.faults.append(f"{when}: {line}")
        listing = database_state.queue_listing(self.volume)
        for name in sorted(listing.keys() | self.step.queue.keys()):
            self.expect(listing.get(name) == self.step.queue.get(name), f"{when}: {name} is not as without a crash")
        modes = database_state.folder_modes(self.volume)
        self.expect(modes == self.step.modes, f"{when}: the folders are {modes} instead of {self.step.modes}")
        with database_state.opened(database_state.database_of(self.volume)) as database:
            for fault in database_state.feed_faults(database) + database_state.page_faults(database):
                self.faults.append(f"{when}: {fault}")
            self.expect(not (left := database_state.staged_runs(database)), f"{when}: runs are left staged: {left}")


@dataclasses.dataclass
class Trial:
    """What became of a crash."""
    faults: list
    remains: dict = None  # the raw state after the first crash
    recorded: int = 0  # files that were recorded before the first crash
    passed: list = dataclasses.field(default_factory=list)  # by the clean run that followed


def try_crash_at_operation(golden, step, counter, moment):
    """A crash there, then a clean run, and one more."""
    with CrashCase(golden, step) as case:
        trial = Trial(case.faults)
        trial.remains = case.crash_at_operation(counter, moment)
        trial.recorded = case.recorded
        trial.passed = case.recover().passed
        case.run_once_more()
        return trial


def try_crashes(golden, step, crashes):
    """The crashes one after the other, each in the run that recovers from the one before; then a clean run, and one
    more."""
    with CrashCase(golden, step) as case:
        trial = Trial(case.faults)
        for number, place in enumerate(crashes):
            remains = case.crash(place)
            if number == 0:
                trial.remains, trial.recorded = remains, case.recorded
        trial.passed = case.recover().passed
        case.run_once_more()
        return trial
