#!/usr/bin/env python3
"""kill_test.py FOLDER_OF_THE_PROGRAMS: the ingestor dies once, at each place that a life without a crash comes through."""
import cases
from crash_case import APPLICATION, CrashCase, Place, places, try_crashes
import database_state
from scenario import GoldenRun

# Passed by the life on purpose; one that is missing here would not be tried.
EXPECTED = {
    "ingestor_opened", "migration_middle", "packets_before_commit", "packets_after_commit", "apply_after_read",
    "apply_after_begin", "apply_after_commit_row", "apply_middle_of_rows", "apply_after_head_move", "apply_before_ledger",
    "apply_before_commit", "apply_after_commit", "apply_after_unlink", "refuse_before_commit", "refuse_after_commit",
    "refuse_after_quarantine", "cluster_staging", "cluster_staged", "cluster_matched", "cluster_middle_of_decisions",
    "cluster_before_flip", "cluster_after_flip", "retention_after_floor", "retention_middle_of_batch",
    "branch_after_insert", "branch_after_delete_flip", "branch_merge_run", "branch_merge_middle", "pin_after_write",
    "revert_run", "revert_middle"
}
EXPECTED_OUTCOMES = {"applied", "done", "noop", "stale", "superseded", "conflict", "rejected", "wrong_epoch"}


def points_not_passed(golden):
    return sorted(EXPECTED - {point for step in golden.steps for point in step.passed})


def outcomes_not_met(golden):
    ledger = "".join(golden.steps[-1].state["ledger"])
    return [outcome for outcome in sorted(EXPECTED_OUTCOMES) if f'"outcome": "{outcome}"' not in ledger]


def faults_of_the_golden_run(golden):
    with database_state.opened(database_state.database_of(golden.room / "golden")) as database:
        return database_state.page_faults(database) + database_state.feed_faults(database)


def kills_between_the_same_commits_that_differ(trials):
    """Whatever was under way when the process died must be gone without a trace."""
    first, faults = {}, []
    for step, place, future in trials:
        trial = future.result()
        if not place.point.startswith(APPLICATION) or step.name == "housekeeping":
            continue
        told, state = first.setdefault((step.name, trial.recorded), (place, trial.remains))
        faults += [f"{step.name}: killed at {place} instead of {told}: {line}"
                   for line in database_state.difference(state, trial.remains)]
    return faults


def counts_that_a_kill_made_forget(golden):
    """What was committed before the kill is a duplicate to the run that follows, so nobody counts it again."""
    with CrashCase(golden, golden.step("first start")) as case:
        case.crash(Place("packets_after_commit"))
        case.run()
        with database_state.opened(database_state.database_of(case.volume)) as database:
            counted = dict(tuple(row) for row in database.execute("SELECT name, value FROM ingest_counter"))
            stored = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                      for table in ("transmissions", "observations")}
    return [f"{number} {table} are stored, {counted.get(table)} are counted"
            for table, number in stored.items() if counted.get(table) != number]


def cases_of(programs, room, pool):
    golden = GoldenRun(programs, room)
    trials = [(step, place, pool.submit(try_crashes, golden, step, [place]))
              for step in golden.steps for place in places(step.passed)]
    yield cases.Case("the life comes through every failpoint that a single crash can meet",
                     lambda: points_not_passed(golden))
    yield cases.Case("the life meets every outcome that these kinds can have", lambda: outcomes_not_met(golden))
    yield cases.Case("without a crash the database and its feed are whole", lambda: faults_of_the_golden_run(golden))
    yield cases.Case("packets committed before a kill stay counted", lambda: counts_that_a_kill_made_forget(golden))
    for step, place, future in trials:
        yield cases.Case(f"{step.name}: killed at {place}, a prefix is left and the restart ends as without a crash",
                         lambda future=future: future.result().faults)
    yield cases.Case("kills between the same two commits leave the same database",
                     lambda: kills_between_the_same_commits_that_differ(trials))


if __name__ == "__main__":
    cases.main(cases_of)
