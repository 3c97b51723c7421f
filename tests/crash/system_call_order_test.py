#!/usr/bin/env python3
"""system_call_order_test.py FOLDER_OF_THE_PROGRAMS: what the kernel is asked for, and in which order, when a queue file is
applied. A kill cannot tell whether something was durable; the order of the calls can. Exit code 77, with the reason, where
strace is missing or denied."""
import collections
import re
import shutil
import subprocess
import sys
import tempfile

import cases
from crash_case import CrashCase
from database_state import database_of, queue_listing, raw_copy
from operation_counter import OperationCounter
from scenario import GoldenRun

CALLS = "openat,pwrite64,write,fdatasync,fsync,unlinkat,unlink,renameat,renameat2"
LINE = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<call>\w+)\((?P<arguments>.*)\) += (?P<result>\S+)")


def why_no_strace():
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else f"ptrace is denied: {tried.stderr.decode().strip()}"


class Trace:
    """The calls of one run that succeeded, in order, each as a word for what it means to the volume."""

    def __init__(self, lines):
        self.events = [event for event in map(self._meaning, lines) if event]

    @classmethod
    def of(cls, case):
        """The step of the case, run to its end."""
        with tempfile.NamedTemporaryFile() as output:
            ending = case.programs.run(case.step.command(case.programs, case.volume),
                                       prefix=["strace", "-f", "-y", "-o", output.name, "-e", f"trace={CALLS}"])
            assert ending.code == 0, ending
            return cls(output.read().decode().splitlines())

    @staticmethod
    def _meaning(line):
        found = LINE.match(line)
        if not found or found["result"].startswith("-"):
            return None
        call, arguments = found["call"], found["arguments"]
        first = arguments.split(",")[0]
        if first.endswith("heliograph.db-wal>"):
            return {"pwrite64": "write WAL", "write": "write WAL", "fdatasync": "sync WAL", "fsync": "sync WAL"}.get(call)
        if call in ("fsync", "fdatasync") and first.endswith(("queue/new>", "queue/failed>")):
            return "sync " + first.rsplit("/", 1)[1].rstrip(">")
        if call in ("fsync", "fdatasync") and "/queue/failed/.reason.tmp" in first:
            return "sync reason"
        if call in ("unlink", "unlinkat") and "queue/new>" in first:
            return "remove " + arguments.split('"')[1]
        if call in ("renameat", "renameat2") and "queue/new>" in first:
            return "set aside " + arguments.split('"')[1]
        if call == "renameat" and "queue/failed>" in first:
            return "name reason"
        return None

    def before(self, event):
        return self.events[:self.events.index(event)]

    def after(self, event):
        return self.events[self.events.index(event) + 1:]


def last_index(events, wanted):
    return max((index for index, event in enumerate(events) if event == wanted), default=-1)


def faults_of_removal(trace, file):
    """WAL written < WAL durable < file removed < folder durable; and of the WAL nothing is written after it was made
    durable and before the file goes."""
    removal = f"remove {file.name}"
    if trace.events.count(removal) != 1:
        return [f"'{removal}' happens {trace.events.count(removal)} times in {trace.events}"]
    before, after = trace.before(removal), trace.after(removal)
    written, durable = last_index(before, "write WAL"), last_index(before, "sync WAL")
    faults = []
    if not 0 <= written < durable:
        faults.append(f"{file.name} goes before what it asked for is durable: {before[-6:]}")
    if after[:1] != ["sync new"]:
        faults.append(f"after the removal of {file.name} the folder is not made durable, but: {after[:3]}")
    return faults


def faults_of_quarantine(trace, file):
    """WAL durable < reason durable < file moved < both folders durable."""
    move = f"set aside {file.name}"
    if trace.events.count(move) != 1:
        return [f"'{move}' happens {trace.events.count(move)} times in {trace.events}"]
    before, after = trace.before(move), trace.after(move)
    steps = [last_index(before, step) for step in ("write WAL", "sync WAL", "sync reason", "name reason")]
    faults = []
    if steps != sorted(steps) or steps[0] < 0:
        faults.append(f"{file.name} is moved in a wrong order: {before[-8:]}")
    if after[:2] != ["sync failed", "sync new"]:
        faults.append(f"after {file.name} was moved the folders are not made durable, but: {after[:3]}")
    return faults


def faults_of_step(golden, step):
    with CrashCase(golden, step) as case:
        trace = Trace.of(case)
        moved = [file for file in step.files if any(name == f"failed/{file.name}" for name in step.queue)]
        removed = [file for file in step.files if file.readable and file not in moved]
        faults = [fault for file in removed for fault in faults_of_removal(trace, file)]
        faults += [fault for file in moved for fault in faults_of_quarantine(trace, file)]
        case.compare_with_golden("under strace")
        return faults + case.faults if removed else ["no file was removed, so nothing was tried"]


def faults_of_finding_it_done(golden, step):
    """A kill may come after the commit is written and before it is durable; whoever then finds the file in the ledger must
    make that durable before the file goes."""
    for synchronisation in range(1, 10):  # those before belong to the opening
        with CrashCase(golden, step) as case:
            if kill_at_wal_synchronisation(case, synchronisation) != ["applied"]:
                continue
            before = Trace.of(case).before(f"remove {step.files[0].name}")
            if "sync WAL" in before:
                return []
            return [f"the file goes, and nothing made the ledger row durable that says it is done: {before}"]
    return ["no kill came between the commit and its durability, so nothing was tried"]


def kill_at_wal_synchronisation(case, number):
    """Returns the outcomes in the ledger that the kill leaves, when its file still waits."""
    wal = f"{database_of(case.volume)}-wal"
    killed = case.programs.run(
        case.step.command(case.programs, case.volume),
        prefix=["strace", "-f", "-o", "/dev/null", "-P", wal, "-e", "trace=fdatasync",
                "-e", f"inject=fdatasync:signal=KILL:when={number}"])
    with raw_copy(case.volume, case.volume.parent) as database:
        outcomes = [row[0] for row in database.execute("SELECT outcome FROM ledger")]
    waits = any(name.startswith("new/") for name in queue_listing(case.volume))
    return outcomes if killed.killed and waits else []


CHANGING = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "fsync", "fdatasync", "sync_file_range", "unlink", "unlinkat",
            "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat",
            "truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile", "fchmod", "fchmodat")
NAMED_OTHERWISE = {"open": "openat", "open64": "openat", "openat64": "openat", "ftruncate64": "ftruncate"}


def calls_that_the_counter_missed(golden, step):
    """The kernel as a witness of what the counter of operations tells."""
    with CrashCase(golden, step) as case, tempfile.NamedTemporaryFile() as output:
        prefix = ["strace", "-f", "-yy", "-s", "0", "-o", output.name, "-e", f"trace=openat,creat,{','.join(CHANGING)}"]
        ending, operations = OperationCounter(golden.programs).run(step.command(golden.programs, case.volume), case.volume,
                                                                   prefix=prefix)
        assert ending.code == 0, ending
        told = collections.Counter(NAMED_OTHERWISE.get(call, call) for call in (each.split(" ")[0] for each in operations))
        asked = collections.Counter()
        for line in output.read().decode().splitlines():
            found = LINE.match(line)
            if found and str(case.volume) in line and "-shm" not in line and \
                    (found["call"] in CHANGING or "O_CREAT" in line):
                asked[found["call"]] += 1
    return [] if told == asked else [f"the kernel was asked for {dict(asked)}, and the counter told {dict(told)}"]


def cases_of(programs, room, _pool):
    golden = GoldenRun(programs, room)
    for name in ("first start", "queue of every outcome"):
        yield cases.Case(f"{name}: the counter of operations tells every call that changes the volume",
                         lambda name=name: calls_that_the_counter_missed(golden, golden.step(name)))
    for step in golden.steps:
        if step.files:
            yield cases.Case(f"{step.name}: a file goes only after the WAL with its effect and its ledger row is durable",
                             lambda step=step: faults_of_step(golden, step))
    yield cases.Case("a file that is found to be done goes only after that is durable",
                     lambda: faults_of_finding_it_done(golden, golden.step("first snapshot")))


if __name__ == "__main__":
    if reason := why_no_strace():
        print(f"skipped: {reason}")
        sys.exit(77)
    cases.main(cases_of)
