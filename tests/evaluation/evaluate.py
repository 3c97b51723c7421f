#!/usr/bin/python3
"""Measures what the programs say of simulated meshes against the truth of these meshes.

    cmake --preset release && cmake --build --preset release
    deploy/install-deps.sh evaluation                # for the plots
    tests/evaluation/evaluate.py --out evaluation    # 24 held-out meshes: report.md and plots in that folder
    tests/evaluation/evaluate.py --out evaluation --training    # the seeds that may be tuned on

Every mesh goes through the real programs: meshsim, ingestor, server. Captures are kept in the folder, so that another run
with other programs is quick. Exit code 0 when every bar is met, 1 when one is missed, 2 when something could not be
measured.
"""
import argparse
import concurrent.futures
import os
import pathlib
import sys
import tempfile
import time
import traceback

import cases as case_sets
from calibration import best_constants
from capability_figures import calibration_figures, detection_figures, legacy_figures
from captures import Captures
from figures import CLAIMED, LOOSE
from measurement import Measurement, measure_capability, measure_readiness, populations
from observatory import Observatory
from readiness_figures import readiness_figures
from report import as_text, write_markdown

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build" / "release" / "bin",
                        help="where the build put the programs")
    parser.add_argument("--meshsim", type=pathlib.Path, help="another simulator than that of --programs")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "heliograph-evaluation",
                        help="the folder of the report")
    parser.add_argument("--captures", type=pathlib.Path, help="where captures are kept, if not in the folder of the report")
    parser.add_argument("--training", action="store_true", help="the training seeds instead of the held-out ones")
    parser.add_argument("--quick", action="store_true", help="three small meshes and loose bars: is the model whole?")
    parser.add_argument("--cases", type=int, help="only so many, from the first")
    parser.add_argument("--seeds", type=lambda text: {int(seed) for seed in text.split(",")}, help="only these")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="cases at a time")
    parser.add_argument("--no-plots", action="store_true", help="the table alone")
    return parser.parse_args()


def chosen_cases(options):
    """(cases to measure, cases to fit the baseline's constants on)."""
    if options.quick:
        return case_sets.quick(case_sets.HELD_OUT_SEEDS), case_sets.quick(case_sets.TRAINING_SEEDS)
    training = case_sets.training()
    measured = training if options.training else case_sets.held_out()
    if options.seeds:
        measured = [case for case in measured if case.seed in options.seeds]
    return measured[:options.cases], training


def fitting_pairs(captures, case):
    """(label of the baseline, is capable) of each node, for each population of one training case."""
    _, truth = captures.capture(case)
    labels = captures.reading(case).labels
    return {name: [(labels[node.key], node.capable) for node in members] for name, members in populations(truth).items()}


def measure(captures, observatory, scratch, constants, case):
    try:
        capture, truth = captures.capture(case)
        reading = captures.reading(case)
        answers = observatory.answers(capture, scratch)
        result = measure_capability(case, truth, reading, answers, constants)
        measure_readiness(result, truth, answers.readiness, lambda keys: share_after(captures, case, keys))
        return result
    except Exception as error:  # the other cases can be measured all the same
        traceback.print_exc()
        return Measurement(case, failure=f"{type(error).__name__}: {error}")


def share_after(captures, case, upgraded):
    """The share of deliveries to nodes that survives a switch to 2 bytes once these nodes are upgraded."""
    return captures.truth(case, "--upgrade", ",".join(sorted(upgraded))).document["switch"]["sizes"]["2"]["node_share"]


def run_all(pool, what, function, items):
    """The results in the order of the items; tells how far it is."""
    begin, pending = time.monotonic(), [pool.submit(function, item) for item in items]
    for done, _ in enumerate(concurrent.futures.as_completed(pending), 1):
        print(f"\r{what}: {done} of {len(items)}, {time.monotonic() - begin:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [future.result() for future in pending]


def fit_constants(pool, captures, training):
    pairs = {}
    for of_case in run_all(pool, "fitting the baseline", _Bound(fitting_pairs, captures), training):
        for name, more in of_case.items():
            pairs.setdefault(name, []).extend(more)
    return {name: best_constants(all_pairs) for name, all_pairs in pairs.items()}


def heading(options, measured):
    kind = "Quick evaluation" if options.quick else "Training seeds" if options.training else "Held-out seeds"
    return f"{kind}: {len(measured)} simulated meshes against their truth"


def draw(good, folder):
    try:
        import plots
    except ImportError as error:
        raise SystemExit(f"no plots without matplotlib ({error}): deploy/install-deps.sh evaluation and Debian's "
                         "/usr/bin/python3, or --no-plots")
    return plots.draw_all(good, folder)


class _Bound:
    """A function with its first arguments, for another process."""

    def __init__(self, function, *first):
        self._function, self._first = function, first

    def __call__(self, item):
        return self._function(*self._first, item)


def main():
    options = arguments()
    captures = Captures(options.meshsim or options.programs / "meshsim", options.captures or options.out / "captures")
    observatory = Observatory(options.programs)
    options.out.mkdir(parents=True, exist_ok=True)
    measured, training = chosen_cases(options)
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        constants = fit_constants(pool, captures, training)
        results = run_all(pool, "measuring", _Bound(measure, captures, observatory, options.out, constants), measured)
    good = [result for result in results if result.failure is None]
    bars = LOOSE if options.quick else CLAIMED
    figures = [*detection_figures(good, bars), *calibration_figures(good, bars), *legacy_figures(good, bars),
               *readiness_figures(good, bars)]
    failures = [result for result in results if result.failure is not None]
    print(as_text(figures, good, failures))
    plots = [] if options.no_plots or not good else draw(good, options.out)
    write_markdown(options.out / "report.md", heading(options, measured), figures, good, failures, plots)
    print(f"\n{options.out / 'report.md'} has this with {len(plots)} plots")
    verdicts = {figure.verdict for figure in figures}
    sys.exit(2 if len(good) < len(results) or "not measured" in verdicts else 1 if "MISS" in verdicts else 0)


if __name__ == "__main__":
    main()
