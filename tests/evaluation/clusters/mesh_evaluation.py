#!/usr/bin/python3
"""Measures the clusters that the programs find in simulated meshes against the communities of these meshes.

    cmake --preset test && cmake --build --preset test
    tests/evaluation/clusters/mesh_evaluation.py --out evaluation               # 20 held-out meshes: clusters.md in that folder
    tests/evaluation/clusters/mesh_evaluation.py --out evaluation --training    # the seeds that may be tuned on

Every mesh lives for days, while towns split, merge, appear and are abandoned. Its capture goes through the real programs in
steps of some hours, with an analytics cycle after each. Captures and histories are kept in the folder for the next run. Exit
code 0 when the programs are ahead of a cold pass of the Leiden method, 1 when not, 2 when something could not be measured.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

_HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parent))

from captures import Captures  # noqa: E402
from mesh_history import MeshRecorder  # noqa: E402

TRAINING_SEEDS = range(1, 13)
HELD_OUT_SEEDS = range(101, 121)
SPACINGS = (0, 14, 25)  # km between towns: 0 lets them lie in each other, 25 is out of a summit's reach
QUICK_BAR = ("--least-ari", "0.4")
RESOLUTIONS = (1.5, 1, 1.25, 2, 2.5, 3, 4)  # the first is the default of the programs


@dataclasses.dataclass(frozen=True)
class MeshCase:
    """One mesh that lives for days."""
    seed: int
    nodes: int
    regions: int
    spacing: float
    days: float = 10
    hours: float = 12  # between two steps
    resettlements: int = 5

    @property
    def arguments(self):
        words = ["--seed", self.seed, "--nodes", self.nodes, "--regions", self.regions, "--days", self.days,
                 "--town-spacing", self.spacing, "--resettlements", self.resettlements, "--packets-per-node-day", 15,
                 "--observations-per-transmission", 4, "--no-switch-truth"]
        return [str(word) for word in words]


SIZES = ((300, 3), (150, 2), (300, 3), (450, 4))  # nodes and regions


def cases(seeds):
    """Every third mesh with another space between towns, every fourth of another size."""
    return [MeshCase(seed, *SIZES[index % len(SIZES)], SPACINGS[index % len(SPACINGS)]) for index, seed in enumerate(seeds)]


def quick():
    """One small mesh that takes some seconds."""
    return [MeshCase(TRAINING_SEEDS[0], 150, 2, 25, days=4, hours=12, resettlements=2)]


class Histories:
    """The histories of cases by one build of the programs, kept in a folder."""

    def __init__(self, programs, folder, resolution):
        self._programs = programs
        self._config = {} if resolution is None else {"clusters": {"resolution": resolution}}
        self._captures = Captures(programs / "meshsim", folder / "captures")
        digest = hashlib.sha256()
        for file in (programs / "heliograph-ingestor", programs / "heliograph-server", _HERE / "mesh_history.py"):
            digest.update(file.read_bytes())
        self._folder = folder / "histories" / digest.hexdigest()[:12]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._scratch = folder

    def history(self, case):
        """The file of a case's history."""
        name = hashlib.sha256(repr((case, self._config)).encode()).hexdigest()[:12]
        kept = self._folder / f"{case.seed}-{name}.json"
        if not kept.exists():
            capture, truth = self._captures.capture(case)
            history = MeshRecorder(self._programs, case.hours, self._config).record(capture, truth.document, self._scratch)
            unfinished = f"{kept}.{os.getpid()}"
            with open(unfinished, "w", encoding="utf-8") as file:
                json.dump(history, file)
            os.replace(unfinished, kept)
            capture.unlink()  # it is the large part, and the history is what counts
        return kept


def record(histories, case):
    try:
        return histories.history(case)
    except Exception:  # the other cases can be measured all the same
        traceback.print_exc()
        return None


def replay(programs, files, resolutions, tolerance, *more):
    """(exit code, Markdown) of the scoring."""
    done = subprocess.run([programs / "cluster_replay", *map(str, files), "--resolutions", ",".join(map(str, resolutions)),
                           "--tolerance-hours", str(tolerance), *more], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"cluster_replay ended with {done.returncode}: {done.stderr}")
    return done.returncode, done.stdout


def neighbor_table(measured):
    """The neighbor edges of each mesh at the end against its links."""
    lines = ["| mesh | edges | right | of at least 3 floods | right | links | found |", "|---|---:|---:|---:|---:|---:|---:|"]
    totals = {}
    for case, file in measured:
        counts = json.loads(file.read_text(encoding="utf-8"))["neighbors"]
        lines.append(_neighbor_row(f"{case.seed}: {case.nodes} nodes, {case.spacing} km", counts))
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    return "\n".join([*lines, _neighbor_row("all", totals)])


def _neighbor_row(name, counts):
    share = lambda part, whole: f"{part / whole:.3f}" if whole else "–"
    return (f"| {name} | {counts['named']} | {share(counts['right'], counts['named'])} | {counts['firm']} |"
            f" {share(counts['firm_right'], counts['firm'])} | {counts['wanted']} |"
            f" {share(counts['found'], counts['wanted'])} |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = _HERE.parent.parent.parent
    parser.add_argument("--programs", type=pathlib.Path, default=root / "build" / "test" / "bin",
                        help="where the build put the programs")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "heliograph-evaluation",
                        help="the folder of the report")
    parser.add_argument("--training", action="store_true", help="the training seeds instead of the held-out ones")
    parser.add_argument("--quick", action="store_true", help="one small mesh: does it work at all?")
    parser.add_argument("--resolution", type=float, help="of the programs, if not their default")
    parser.add_argument("--cases", type=int, help="only so many, from the first")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="meshes at a time")
    return parser.parse_args()


def main():
    options, begin = arguments(), time.monotonic()
    programs, out = options.programs.resolve(), options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    measured = quick() if options.quick else cases(TRAINING_SEEDS if options.training else HELD_OUT_SEEDS)[:options.cases]
    histories = Histories(programs, out, options.resolution)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        files = list(pool.map(lambda case: record(histories, case), measured))
    good = [(case, file) for case, file in zip(measured, files) if file is not None]
    if not good:
        sys.exit(2)
    parts = [f"# Clusters of {len(good)} simulated meshes, {'training' if options.training else 'held-out'} seeds"]
    resolutions = RESOLUTIONS if options.training else RESOLUTIONS[:1]
    verdict, text = replay(programs, [file for _, file in good], resolutions, 144, *(QUICK_BAR if options.quick else ()))
    parts.append("## All meshes\n\n" + text)
    parts.append("## All meshes, events within 48 h\n\n" + replay(programs, [file for _, file in good], RESOLUTIONS[:1], 48)[1])
    for spacing in () if options.quick else SPACINGS:
        of_spacing = [file for case, file in good if case.spacing == spacing]
        if of_spacing:
            parts.append(f"## Towns at least {spacing} km apart\n\n" + replay(programs, of_spacing, resolutions, 144)[1])
    parts.append("## Neighbors at the end\n\n" + neighbor_table(good))
    parts.append(f"{time.monotonic() - begin:.0f} s for {len(good)} meshes, {options.jobs} at a time")
    report = "\n\n".join(parts) + "\n"
    (out / "clusters.md").write_text(report, encoding="utf-8")
    print(report)
    sys.exit(2 if len(good) < len(measured) else verdict)


if __name__ == "__main__":
    main()
