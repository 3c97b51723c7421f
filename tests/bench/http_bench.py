"""GET /api/nodes against the same server with an empty handler, and with the same bytes from memory."""
import re
import shutil

from http_client import Client
from material import copy_volume
from processes import Running, run
from results import median
from server_bench import serve, wait_until_complete

CLIENTS = (8, 64)
P99 = ("<=", 20)
_UNITS = {"us": 1e-3, "ms": 1, "s": 1e3}


def measure(bench):
    if not shutil.which("wrk"):
        raise RuntimeError("wrk is missing; run deploy/install-deps.sh bench")
    source = bench.material.volume("16")
    with bench.material.scratch() as folder:
        data = copy_volume(source, folder / "data")
        with serve(bench, data, folder / "server.log") as server:
            client = Client(server.port())
            wait_until_complete(client)
            total = client.json("/api/nodes?limit=1")["total"]
            body = folder / "body"
            body.write_bytes(client.request("GET", "/api/nodes?limit=2000")[2])
            with Running([bench.programs["http_ceiling"], "--body", body], folder / "ceiling.log") as ceiling:
                api, best = (f"http://127.0.0.1:{port}" for port in (server.port(), ceiling.port()))
                _compare(bench, "/api/nodes", f"{api}/api/nodes", f"{best}/empty", 0.5, "an empty handler")
                _compare(bench, "/api/nodes?limit=2000", f"{api}/api/nodes?limit=2000", f"{best}/bytes", 0.8,
                         f"the same {body.stat().st_size >> 10} KiB from memory; {total} nodes")
                tag = client.request("GET", "/api/nodes")[1]["ETag"]
                _compare(bench, "/api/nodes, 304", f"{api}/api/nodes", f"{best}/empty", 0.7, "an empty handler",
                         f"If-None-Match: {tag}")


def _compare(bench, what, url, best, share, beside, header=None):
    for clients in CLIENTS:
        load = bench.quiet.wait()
        pairs = [(_wrk(bench, url, clients, header), _wrk(bench, best, clients, None)) for _ in range(bench.repeat)]
        rate, ceiling = (median([pair[i][0] for pair in pairs]) for i in (0, 1))
        slowest, slowest_ceiling = (median([pair[i][1] for pair in pairs]) for i in (0, 1))
        bench.report.add(f"http {clients} clients", f"GET {what}", rate, "/s", ceiling=ceiling, target=(">=", share),
                         load=load, note=f"ceiling: {beside}")
        bench.report.add(f"http {clients} clients", f"GET {what}, p99", slowest, "ms",
                         target=P99 if clients == max(CLIENTS) else None, load=load,
                         note=f"the ceiling's own p99 is {slowest_ceiling:.2f} ms")


def _wrk(bench, url, clients, header):
    """(requests a second, p99 in ms)"""
    extra = ["-H", header] if header else []
    text = run(["wrk", "-t", 2, "-c", clients, "-d", f"{bench.seconds}s", "--latency", *extra, url]).output
    if re.search(r"Non-2xx or 3xx responses|Socket errors", text):
        raise RuntimeError(f"{url} did not answer every request:\n{text}")
    slowest, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), float(slowest) * _UNITS[unit]
