"""Clusters and the measures of a graph: a program of its own with Google Benchmark."""
import json

from processes import run
from results import median

SMALL, LARGE = "3000/20000", "100000/1000000"  # nodes and edges
# Milliseconds by benchmark and size.
BUDGETS = {
    ("OnePass", SMALL): 20,
    ("OnePassWithLoading", LARGE): 2000,
    ("Consensus", SMALL): 150,
    ("Consensus", LARGE): 12000,
}
NAMES = {
    "OnePass": "Leiden, one pass",
    "OnePassWithLoading": "Leiden, one pass with loading",
    "Consensus": "Leiden, consensus of 8",
    "Critical": "bridges, cut vertices, betweenness, coreness",
}


def measure(bench):
    load = bench.quiet.wait()
    finished = run([bench.programs["clusters_benchmark"], "--benchmark_format=json",
                    f"--benchmark_repetitions={bench.repeat}"])
    times = {}
    for row in json.loads(finished.output)["benchmarks"]:
        if row["run_type"] == "iteration":
            times.setdefault(row["run_name"], []).append(row["real_time"])
    for run_name, values in times.items():
        benchmark, size = run_name.split("/", 1)
        budget = BUDGETS.get((benchmark, size))
        nodes, edges = size.split("/")
        bench.report.add("clusters", f"{NAMES[benchmark]}, {nodes} nodes, {edges} edges", median(values), "ms",
                         target=("<=", budget) if budget else None, load=load)
