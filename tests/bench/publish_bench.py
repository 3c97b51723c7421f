"""From a publication to the moment that its effect can be read over HTTP, while packets flow."""
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

from http_client import Client
from material import ask, copy_volume
from processes import Running, wait_until
from results import percentile
from server_bench import serve, wait_until_complete

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "crash"))
import queue_publisher  # noqa: E402

COUNT = 200
FLOW = 300  # messages a second meanwhile
KEY = "key-of-the-benchmark"
FIRST_NUMBER = 1_000_000  # of a producer beside the server: above all of the server's own
VISIBLE = ("<=", 0.5)

PLAIN_FLOOD_TEXT = bytes([0x15, 0x00])  # a group text in a flood, no hop yet


def measure(bench):
    source = bench.material.volume("16")
    with bench.material.scratch() as folder:
        data = copy_volume(source, folder / "data")
        config = folder / "config.json"
        config.write_text(json.dumps({"analytics": {"intervalSeconds": 3600}}))
        load = bench.quiet.wait()
        flow = Running([bench.programs["meshsim"], "--rate", FLOW, "--seed", 2, "--nodes", 300], folder / "meshsim.log",
                       stdout=subprocess.PIPE)
        with flow, Running([bench.programs["heliograph-ingestor"], "run", "--data", data, "--capture", "-"],
                           folder / "ingestor.log", stdin=flow.process.stdout), \
                serve(bench, data, folder / "server.log", config, {**os.environ, "HELIOGRAPH_API_KEY": KEY}) as server:
            client = Client(server.port(), KEY)
            wait_until_complete(client)
            wait_until("the queue is empty", lambda: client.json("/api/healthz")["queue"]["waiting"] == 0)
            stored = ask(data, "SELECT max(id) FROM observations")
            injected = [_inject(client, number) for number in range(COUNT)]
            changed = _publish_snapshots(client, data)
            flowed = ask(data, "SELECT max(id) FROM observations") - stored
    for what, times in (("packet posted to its ledger row", injected), ("snapshot to a node's new status", changed)):
        for share in (50, 99):
            bench.report.add("publish", f"{what}, p{share}", percentile(times, share), "s",
                             target=VISIBLE if share == 99 else None, load=load,
                             note=f"{len(times)} publications, {flowed} packets meanwhile, longest {max(times):.3f} s")


def _inject(client, number):
    noise = hashlib.sha256(b"injected %d" % number).digest()
    begin = time.monotonic()
    answer = client.post("/api/packets", {"hex": (PLAIN_FLOOD_TEXT + noise[:19]).hex(), "observer": "ab" * 32,
                                          "snr": 7.5, "rssi": -80})
    wait_until("the packet's ledger row", lambda: client.json(answer["statusUrl"])["state"] == "finished", pause=0.002)
    return time.monotonic() - begin


def _publish_snapshots(client, data):
    epoch = ask(data, "SELECT value FROM meta WHERE key = 'epoch'")
    nodes = client.json(f"/api/multibyte?status=unknown&limit={COUNT}")["nodes"]
    if len(nodes) < COUNT:
        raise RuntimeError(f"only {len(nodes)} nodes are unknown, {COUNT} are needed")
    return [_publish_snapshot(client, data, epoch, number, node["public_key"]) for number, node in enumerate(nodes)]


def _publish_snapshot(client, data, epoch, number, key):
    begin = time.monotonic()
    publish_confirmed(client, data, epoch, number, key)
    # The node's own page is cheap to ask for again and again; that of its capability looks for the proofs.
    wait_until(f"{key} is confirmed",
               lambda: client.json(f"/api/nodes/{key}")["node"]["multi_byte_status"] == "confirmed", seconds=30)
    return time.monotonic() - begin


def publish_confirmed(client, data, epoch, number, key):
    """One node becomes confirmed; all others keep what they are."""
    entry = {"public_key": key, "status": "confirmed", "evidence": "advert", "max_hash_size": 2, "adopted": True,
             "probability": 1.0, "advert_proofs": 3}
    file = queue_publisher.QueueFile(
        "multibyte-snapshot", epoch, FIRST_NUMBER + number, queue_publisher.snapshot([entry]),
        watermark=client.json("/api/healthz")["watermark"], created=datetime.datetime.now(datetime.timezone.utc))
    queue_publisher.publish(data, file)
