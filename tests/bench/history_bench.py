"""What history costs: on disk for each commit, and in time for a question about the past."""
from processes import run_json

DISK = ("<=", 3)
AS_OF = ("<=", 5)
ENTITY = ("<=", 0.1)


def measure(bench):
    load = bench.quiet.wait()
    with bench.material.scratch() as folder:
        figures = run_json([bench.programs["history_benchmark"], folder])
    add = bench.report.add
    add("history", "1 000 commits of 5 changes", figures["bytes"] / 1e6, "MB", target=DISK, load=load,
        note="2 000 nodes; commits, intervals and feed")
    add("history", "all nodes as of a commit", figures["as_of_ms"], "ms", target=AS_OF, load=load)
    add("history", "one node as of a commit", figures["entity_ms"], "ms", target=ENTITY, load=load)
