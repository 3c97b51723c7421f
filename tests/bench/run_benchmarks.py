#!/usr/bin/env python3
"""Measures the budgets of the programs, each beside what is possible at best on this machine in the same run.

    cmake --preset bench && cmake --build --preset bench
    tests/bench/run_benchmarks.py                        # everything, small: some minutes
    tests/bench/run_benchmarks.py --full import server   # two parts with the sizes that the budgets name

Figures are medians. Before each one the machine is waited for until others leave it alone. Captures and databases are
kept in a folder (--work) and used again; with --full they take some 3 GB. Exit code 1 when a budget is not met, 2 when
a part could not be measured.
"""
import argparse
import dataclasses
import os
import pathlib
import platform
import sys
import tempfile
import traceback

import broker_bench
import clusters_bench
import history_bench
import http_bench
import import_bench
import publish_bench
import server_bench
import sse_bench
from material import Material
from processes import Programs, Quiet
from results import Report

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARTS = {
    "import": import_bench.measure,
    "server": server_bench.measure,
    "capability": server_bench.measure_capability,
    "clusters": clusters_bench.measure,
    "publish": publish_bench.measure,
    "events": sse_bench.measure,
    "history": history_bench.measure,
    "http": http_bench.measure,
    "broker": broker_bench.measure,
}
NODES = 2200  # so that a page of 2 000 is full


@dataclasses.dataclass
class Bench:
    """What every part gets."""
    programs: Programs
    material: Material
    quiet: Quiet
    report: Report
    repeat: int
    seconds: int  # of one run of wrk
    broker_messages: int


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    parser.add_argument("--full", action="store_true", help="1.9 million observations instead of 190 000")
    parser.add_argument("--messages", type=int, help="another size of the capture")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each figure (3)")
    parser.add_argument("--programs", default=ROOT / "build" / "bench" / "bin", help="where the build put the programs")
    parser.add_argument("--work", default=pathlib.Path(tempfile.gettempdir()) / "heliograph-bench",
                        help="where captures and databases are kept")
    parser.add_argument("--json", default="benchmarks.json", help="where the figures go (benchmarks.json)")
    parser.add_argument("--quiet-below", type=float, default=0.3, metavar="CORES",
                        help="wait until others keep fewer cores busy than this (0.3)")
    parser.add_argument("--patience", type=float, default=120, help="but no longer than so many seconds (120)")
    chosen = parser.parse_args()
    for part in chosen.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part}; there are {', '.join(PARTS)}")
    return chosen


def main():
    chosen = arguments()
    programs = Programs(chosen.programs)
    messages = chosen.messages or (1_900_000 if chosen.full else 190_000)
    report = Report({"cores": os.cpu_count(), "system": platform.platform(), "messages": messages})
    bench = Bench(programs, Material(programs, chosen.work, messages, NODES), Quiet(chosen.quiet_below, chosen.patience),
                  report, chosen.repeat, 5 if chosen.full else 2, 400_000 if chosen.full else 100_000)
    for part in chosen.parts or PARTS:
        try:
            PARTS[part](bench)
        except Exception as error:  # the other parts can be measured all the same
            traceback.print_exc()
            report.fail(part, str(error))
        report.write(chosen.json)
    print(f"\n{report.table()}\n\nwritten to {chosen.json}")
    if report.failures:
        return 2
    return 1 if any(result.met is False for result in report.results) else 0


if __name__ == "__main__":
    sys.exit(main())
