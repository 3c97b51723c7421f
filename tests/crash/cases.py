"""Many independent cases, tried side by side and reported like any unittest."""
import concurrent.futures
import os
import sys
import unittest

import programs as programs_module

MOST_FAULTS_SHOWN = 12


class Case(unittest.TestCase):
    """`name` says what holds; `find_faults` returns the lines that tell why it does not."""

    def __init__(self, name, find_faults):
        super().__init__("holds")
        self._name = name
        self._find_faults = find_faults

    def holds(self):
        faults = self._find_faults()
        if faults:
            more = len(faults) - MOST_FAULTS_SHOWN
            self.fail("\n" + "\n".join(faults[:MOST_FAULTS_SHOWN]) + (f"\nand {more} more" if more > 0 else ""))

    def __str__(self):
        return self._name

    id = __str__


def main(cases_of, programs=None):
    """Runs the cases that `cases_of(programs, room, pool)` yields; work that it submits to the pool goes on meanwhile. The
    first argument names the programs, when the caller does not."""
    programs = programs or programs_module.programs_from_arguments()
    with programs_module.scratch("crash") as room, \
            concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        suite = unittest.TestSuite(cases_of(programs, room, pool))
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
        pool.shutdown(cancel_futures=True)
    print(f"{result.testsRun} cases")
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
