#!/usr/bin/env python3
"""operation_sweep_test.py FOLDER_OF_THE_PROGRAMS [--every N]: SIGKILL at the operations that change the volume, one after the
other, whether or not anybody thought of a failpoint there, and in the middle of each write; and an error of the disk at
each."""
import argparse
import shutil

import cases
import database_state
from crash_case import CrashCase, try_crash_at_operation
from error_test import compare_whatever_the_order
from operation_counter import OperationCounter, faults_of_death, moments
from programs import Programs
from publish_kill_test import PublishedVolume, faults_of_file, state_of
from scenario import GoldenRun

KINDS = {"multibyte-snapshot", "cluster-snapshot", "neighbor-snapshot", "override", "cluster-job", "branch-request", "pin",
         "revert", "prune-request", "packet-inject"}
STREAMS = {"multibyte-snapshot", "cluster-snapshot", "neighbor-snapshot"}  # of the server's own
SEEN = {"open64 db/heliograph.db-journal", "pwrite64 db/heliograph.db-journal", "pwrite64 db/heliograph.db",
        "fdatasync db/heliograph.db", "ftruncate64 db/heliograph.db", "pwrite64 db/heliograph.db-wal",
        "fdatasync db/heliograph.db-wal", "ftruncate64 db/heliograph.db-wal", "fchmod queue/.new.unfinished",
        "renameat2 queue/new", "unlinkat queue/new/", "fsync queue/new", "openat queue/failed/", "write queue/failed/",
        "renameat queue/failed/", "renameat2 queue/failed/", "openat queue/tmp/", "write queue/tmp/", "fsync queue/tmp/",
        "renameat queue/new/"}


def operations_of_step(golden, step, counter):
    """What the step asks of the kernel when nothing ends it."""
    with CrashCase(golden, step) as case:
        ending, operations = counter.run(step.command(golden.programs, case.volume), case.volume)
        case.compare_with_golden("under the counter")
        assert ending.code == 0 and not case.faults, f"{case.faults} {ending}"
        return operations


def faults_after_error(golden, step, counter, moment):
    """The ingestor goes on or gives up, as it likes; nothing is damaged, and the next run makes good what is missing."""
    with CrashCase(golden, step) as case:
        ending, operations = counter.run(step.command(golden.programs, case.volume), case.volume, moment)
        case.expect(ending.code in (0, 1) and len(operations) >= moment.number, f"another end than expected: {ending}")
        with database_state.raw_copy(case.volume, case.volume.parent) as database:
            case.faults += database_state.page_faults(database)
        ending = case.run()
        case.expect(ending.code == 0, f"the run after the error failed: {ending}")
        compare_whatever_the_order(case)
        with database_state.opened(database_state.database_of(case.volume)) as database:
            case.faults += database_state.page_faults(database) + database_state.feed_faults(database)
        left = [name for name in database_state.queue_listing(case.volume) if name.startswith("new/")]
        case.expect(not left, f"left in the queue: {left}")
        return case.faults


class Publication:
    """The server's analytics on a volume with packets of which nothing was published yet, without a crash."""

    def __init__(self, golden, counter):
        self.golden, self.counter = golden, counter
        step = golden.step("first start")
        shutil.copytree(step.before, golden.room / "ingested")
        ending = golden.programs.run(step.command(golden.programs, golden.room / "ingested"))
        assert ending.code == 0, ending
        self.before = database_state.read_volume(golden.room / "ingested")
        with PublishedVolume(golden) as volume:
            ending, self.operations = counter.run(self.command(volume), volume.path)
            self.kinds = {name.rsplit(".", 1)[1] for name in volume.names("new")}
            assert ending.code == 0 and volume.apply().code == 0, ending
            self.state = state_of(volume.path)

    def command(self, volume):
        return [volume.programs.server, "analyze", "--data", volume.path]

    def faults_after_death(self, moment):
        with PublishedVolume(self.golden) as volume:
            ending, operations = self.counter.run(self.command(volume), volume.path, moment)
            volume.faults += faults_of_death(ending, operations, moment)
            self._look_at_the_remains(volume)
            for cycle in ("first", "second"):  # in the second nothing is left to do
                for run in (volume.analyze, volume.apply):
                    ending = run()
                    volume.expect(ending.code == 0, f"{cycle} cycle after the death: {ending}")
                    volume.expect(volume.names("tmp") == [], f"leftovers: {volume.names('tmp')}")
                volume.faults += [f"{cycle} cycle after the death: {line}"
                                  for line in database_state.difference(self.state, state_of(volume.path))]
            volume.expect(volume.names("new") == volume.names("failed") == [], "the queue is not empty in the end")
            with database_state.opened(database_state.database_of(volume.path)) as database:
                volume.faults += database_state.page_faults(database) + database_state.feed_faults(database)
            check = volume.programs.check(volume.path)
            volume.expect(check.code == 0, f"`check` is not content: {check}")
            return volume.faults

    def _look_at_the_remains(self, volume):
        with database_state.raw_copy(volume.path, volume.path.parent) as database:
            volume.faults += database_state.page_faults(database)
            volume.faults += database_state.difference(self.before, database_state.read(database))
        for name in volume.names("new"):
            volume.faults += faults_of_file(volume.path / "queue" / "new" / name)


def deaths(operations):
    """Each operation, and the middle of each that has one."""
    return sorted(moments(operations, "kill") + moments(operations, "tear"), key=lambda moment: moment.number)


def states_that_differ(step, trials):
    """Whatever was under way when the process died must be gone without a trace: as many files recorded, the same state.
    Behind the last of them comes housekeeping, which has commits of its own."""
    first, faults = {}, []
    for moment, future in trials:
        trial = future.result()
        if trial.recorded == len(step.files):
            continue
        told, state = first.setdefault(trial.recorded, (moment, trial.remains))
        faults += [f"{moment} leaves another state than {told}: {line}"
                   for line in database_state.difference(state, trial.remains)]
    return faults


def operations_not_seen(sweeps):
    seen = {operation for operations in sweeps for operation in operations}
    return sorted(wanted for wanted in SEEN
                  if not any(operation == wanted or wanted[-1] == "/" and operation.startswith(wanted) for operation in seen))


class Sweep:

    def __init__(self, every):
        self._every = every
        self._passed = 0  # moments, tried or not: the count goes on from step to step

    def choose(self, moments_of_all):
        for moment in moments_of_all:
            self._passed += 1
            if self._passed % self._every == 0:
                yield moment

    def cases_of(self, programs, room, pool):
        golden, counter = GoldenRun(programs, room), OperationCounter(programs)
        publication = Publication(golden, counter)
        operations = [operations_of_step(golden, step, counter) for step in golden.steps]
        yield cases.Case("the steps have every kind of file that the ingestor carries out",
                         lambda: sorted(KINDS - {file.kind for step in golden.steps for file in step.files}))
        yield cases.Case("the server publishes all of its streams", lambda: sorted(STREAMS - publication.kinds))
        yield cases.Case("the counter sees what makes the database and the queue durable",
                         lambda: operations_not_seen([*operations, publication.operations]))
        trials = [[(moment, pool.submit(try_crash_at_operation, golden, step, counter, moment))
                   for moment in self.choose(deaths(asked))] for step, asked in zip(golden.steps, operations)]
        errors = [[(moment, pool.submit(faults_after_error, golden, step, counter, moment))
                   for moment in self.choose(moments(asked, "error"))] for step, asked in zip(golden.steps, operations)]
        published = [(moment, pool.submit(publication.faults_after_death, moment))
                     for moment in self.choose(deaths(publication.operations))]
        for step, asked, tried in zip(golden.steps, operations, trials):
            yield self._case(step.name, f"{len(tried)} deaths at its {len(asked)} operations leave a prefix, and the next run "
                             "ends as without a crash", tried, lambda trial: trial.faults)
            if step.files and not step.capture:
                yield cases.Case(f"{step.name}: deaths between the same two commits leave the same database",
                                 lambda step=step, tried=tried: states_that_differ(step, tried))
        for step, asked, tried in zip(golden.steps, operations, errors):
            yield self._case(step.name, f"{len(tried)} errors at its {len(asked)} operations damage nothing, and the next run "
                             "makes good what is missing", tried, list)
        yield self._case("the server's analytics", f"{len(published)} deaths at its {len(publication.operations)} operations "
                         "leave whole files, and in the end each is applied once", published, list)

    @staticmethod
    def _case(name, text, tried, faults_of):
        return cases.Case(f"{name}: {text}", lambda: [f"{moment}: {fault}" for moment, future in tried
                                                      for fault in faults_of(future.result())])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs")
    parser.add_argument("--every", type=int, default=1, help="try only every Nth of the moments")
    arguments = parser.parse_args()
    sweep = Sweep(arguments.every)
    cases.main(sweep.cases_of, Programs(arguments.programs))


if __name__ == "__main__":
    main()
