"""The server on a large database: how soon it answers, how soon it knows all, and what memory it takes."""
import http.client
import json
import shutil
import time

from http_client import Client
from material import copy_volume
from processes import Running, run, wait_until
from results import median

LAST_KNOWN = ("<=", 0.2)
ALL_ANALYTICS = ("<=", 5)
MEMORY = ("<=", 200)


def serve(bench, data, log, config=None, environment=None):
    command = [bench.programs["heliograph-server"], "run", "--data", data, "--listen", "127.0.0.1:0"]
    return Running(command + (["--config", config] if config else []), log, env=environment)


def wait_until_complete(client):
    return wait_until("the server knows everything",
                      lambda: (client.json("/api/healthz") or {}).get("progress") == "complete")


def _first_answer(client, path, accepts, started):
    def answered():
        try:
            value = client.json(path)
        except (OSError, http.client.HTTPException):
            return False
        return value is not None and accepts(value)
    wait_until(path, answered, pause=0.001)
    return time.monotonic() - started


def measure(bench):
    source = bench.material.volume("16")
    ready, stored, complete, memory, peak, load = [], [], [], [], [], ""
    with bench.material.scratch() as folder:
        data = copy_volume(source, folder / "data")
        for number in range(bench.repeat):
            load = bench.quiet.wait()
            with serve(bench, data, folder / f"server-{number}.log") as server:
                client = Client(server.port())
                ready.append(_first_answer(client, "/api/readyz", lambda value: value["ready"], server.started))
                stored.append(_first_answer(client, "/api/multibyte?limit=1",
                                            lambda value: value["summary"]["confirmed"] > 0, server.started))
                complete.append(_first_answer(client, "/api/healthz", lambda value: value["progress"] == "complete",
                                              server.started))
                memory.append(server.memory())
                peak.append(server.memory("VmHWM"))
                summary = client.json("/api/multibyte?limit=1")["summary"]
                health = client.json("/api/healthz")
                if number == bench.repeat - 1:
                    loaded = _memory_after_load(bench, server, client)
        analyze = [_analyze(bench, data) for _ in range(bench.repeat)]
    note = (f"{health['loadedObs']} observations; {summary['confirmed']} confirmed, {summary['suspected']} suspected, "
            f"{summary['unknown']} unknown")
    add = bench.report.add
    add("server", "start to /api/readyz", median(ready), "s", load=load)
    add("server", "start to stored capability", median(stored), "s", target=LAST_KNOWN, load=load, note=note)
    add("server", "start to all analytics", median(complete), "s", target=ALL_ANALYTICS, load=load)
    add("server", "memory when all is known", median(memory) / 1e6, "MB", target=MEMORY,
        note=f"peak {median(peak) / 1e6:.0f} MB")
    add("server", "memory after load", loaded / 1e6, "MB", target=MEMORY, note="64 clients on three routes")
    add("server", "analyze, start to exit", median([finished.seconds for finished in analyze]), "s", load=load,
        note=f"{analyze[0].cpu_seconds:.1f} s of CPU, peak {analyze[0].peak_bytes / 1e6:.0f} MB")


def _memory_after_load(bench, server, client):
    if not shutil.which("wrk"):
        raise RuntimeError("wrk is missing; run deploy/install-deps.sh bench")
    newest = client.json("/api/nodes?limit=1")["nodes"][0]["public_key"]
    for path in ("/api/nodes?limit=2000", "/api/packets?limit=200", f"/api/nodes/{newest}"):
        run(["wrk", "-t", 2, "-c", 64, "-d", f"{bench.seconds}s", f"http://127.0.0.1:{server.port()}{path}"])
    return server.memory()


def _analyze(bench, data):
    # The queue of the copy is thrown away, so that every run publishes what it found.
    shutil.rmtree(data / "queue", ignore_errors=True)
    bench.quiet.wait()
    return run([bench.programs["heliograph-server"], "analyze", "--data", data])


def measure_capability(bench):
    """From memory, and by increments: a program of its own with Google Benchmark."""
    data = bench.material.volume("16")
    load = bench.quiet.wait()
    with bench.material.scratch() as folder:
        finished = run([bench.programs["capability_benchmark"], f"--database={data / 'db' / 'heliograph.db'}",
                        f"--scratch={folder}", "--benchmark_format=json", f"--benchmark_repetitions={bench.repeat}"])
    runs = [row for row in json.loads(finished.output)["benchmarks"] if row["run_type"] == "iteration"]
    rows = {row["run_name"].split("/")[0]: {**row, "real_time": median(
        [other["real_time"] for other in runs if other["run_name"] == row["run_name"]])} for row in runs}
    full, increment = rows["full_from_memory"], rows["increment"]
    add = bench.report.add
    add("capability", "full, from packets in memory", full["real_time"] / 1e3, "s", target=("<=", 3), load=load,
        note=f"{full['observations']:.0f} observations, {full['nodes']:.0f} nodes, {full['confirmed']:.0f} confirmed")
    add("capability", "full, from the database to a view", rows["full_from_database"]["real_time"] / 1e3, "s", load=load)
    add("capability", "1 000 new observations to a view", increment["real_time"], "ms", target=("<=", 20), load=load)
