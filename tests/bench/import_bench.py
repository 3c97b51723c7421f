"""Import of a capture from start to exit, against SQLite alone with the same rows; and what a row takes on disk."""
from material import SPREADS, ask, database_of
from processes import run_json
from results import median

BATCH = 10_000  # the ingestor's default

RATE = (">=", 100_000)
RATES = {"16": RATE}
BYTES = {"16": ("<=", 60), "4.6": ("<=", 85)}


def measure(bench):
    for spread in SPREADS:
        _measure_spread(bench, spread)


def _measure_spread(bench, spread):
    capture, messages = bench.material.capture(spread)
    loads, runs, ceilings, bytes_each = [], [], [], []
    for _ in range(bench.repeat):
        loads.append(bench.quiet.wait())
        with bench.material.scratch() as folder:
            data = folder / "data"
            data.mkdir()
            runs.append(bench.material.import_into(data, capture))
            observations = ask(data, "SELECT count(*) FROM observations")
            bytes_each.append(database_of(data).stat().st_size / observations)
            shape = _shape(data, observations)
            ceilings.append(run_json([bench.programs["sqlite_ceiling"], "--database", database_of(data), "--into",
                                      folder, "--batch", BATCH]))
    middle = sorted(runs, key=lambda finished: finished.seconds)[len(runs) // 2]
    load = f"{loads[0]}; others took {median([finished.others for finished in runs]):.1f} cores"
    rate = median([messages / finished.seconds for finished in runs])
    ceiling = median([row["observations"] / row["seconds"] for row in ceilings])
    part = f"import {spread}:1"
    bench.report.add(part, "messages stored", rate, "/s", target=RATES.get(spread), load=load,
                     note=f"{messages} messages; {shape}; runs " + ", ".join(f"{f.seconds:.1f} s" for f in runs))
    bench.report.add(part, "observations stored, against SQLite alone",
                     median([observations / finished.seconds for finished in runs]), "/s", ceiling=ceiling, load=load)
    bench.report.add(part, "CPU of one message", 1e6 * middle.cpu_seconds / messages, "us", load=load,
                     note=f"{middle.cpu_seconds:.1f} s of CPU in {middle.seconds:.1f} s")
    bench.report.add(part, "peak memory", median([f.peak_bytes for f in runs]) / 1e6, "MB", load=load)
    bench.report.add(f"disk {spread}:1", "one observation, all in", median(bytes_each), "B", target=BYTES.get(spread),
                     note=shape)


def _shape(data, observations):
    transmissions = ask(data, "SELECT count(*) FROM transmissions")
    adverts = ask(data, "SELECT count(*) FROM transmissions WHERE payload_type = 4")
    return (f"{observations} observations, {observations / transmissions:.1f} a transmission, "
            f"{100 * adverts / transmissions:.0f} % adverts")
