#!/usr/bin/env python3
"""double_kill_test.py FOLDER_OF_THE_PROGRAMS [--every N]: the ingestor dies while it applies the queue, and again while it
recovers from that; with --every, at every Nth pair of moments."""
import argparse
import functools

import cases
from crash_case import APPLICATION, Place, places, try_crashes
from programs import Programs
from scenario import GoldenRun

STEPS = ("first snapshot", "newer state behind an older", "first cluster run", "queue of every outcome", "merge")


def first_places(step):
    """Each point of application, when it is passed for the first time."""
    return [Place(point) for point in dict.fromkeys(step.passed) if point.startswith(APPLICATION)]


def recoveries_without_the_short_cut(recoveries):
    """A file that is found in the ledger takes a way of its own, which only a recovery comes through."""
    if any("apply_duplicate_before_unlink" in recovery.result().passed for _, _, recovery in recoveries):
        return []
    return ["no recovery met a file that was recorded already"]


def cases_of(every, programs, room, pool):
    golden = GoldenRun(programs, room)
    recoveries = [(step, place, pool.submit(try_crashes, golden, step, [place]))
                  for step in map(golden.step, STEPS) for place in first_places(step)]
    moments = [(step, first, second) for step, first, recovery in recoveries for second in places(recovery.result().passed)]
    pairs = [(step, first, second, pool.submit(try_crashes, golden, step, [first, second]))
             for step, first, second in moments[::every]]
    yield cases.Case("recovery meets files that are recorded already", lambda: recoveries_without_the_short_cut(recoveries))
    for step, first, second, future in pairs:
        yield cases.Case(f"{step.name}: killed at {first}, then in the recovery at {second}, it ends as without a crash",
                         lambda future=future: future.result().faults)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs")
    parser.add_argument("--every", type=int, default=1, help="try only every Nth of the pairs")
    arguments = parser.parse_args()
    cases.main(functools.partial(cases_of, arguments.every), Programs(arguments.programs))


if __name__ == "__main__":
    main()
