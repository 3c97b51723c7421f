"""Queue files written as the protocol asks, without any code of the programs: what the reader must understand.

A file is one line of JSON, a line feed, and the payload. It is written to `tmp`, made durable, renamed into `new`, and the
folder is made durable.
"""
import dataclasses
import datetime
import hashlib
import json
import os
import pathlib

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(moment, number):
    """An identifier of that moment which is the same for the same number."""
    value = int(moment.timestamp() * 1000) << 80 | int.from_bytes(hashlib.sha256(b"%d" % number).digest()[:10], "big")
    return "".join(BASE32[value >> shift & 31] for shift in range(125, -1, -5))


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


@dataclasses.dataclass
class QueueFile:
    """One file: its header's values, its payload, and what a test breaks on purpose."""
    kind: str
    epoch: str
    number: int  # the producer's sequence
    payload: bytes
    watermark: int = 0
    stream: str = "multibyte"
    branch: int = 1
    base: int = 0
    actor: str = "server:test"
    instance: str = "boot-of-the-test"
    created: datetime.datetime = dataclasses.field(default_factory=now)
    digest: str | None = None  # another one than the payload's
    cut: int = 0  # bytes that are missing at the end
    unsafe_name: str | None = None

    @property
    def id(self):
        return ulid(self.created, self.number)

    @property
    def name(self):
        return self.unsafe_name or f"{self.number:020}-{self.id}.{self.kind}"

    def content(self):
        header = {
            "format": 1,
            "kind": self.kind,
            "stream": self.stream,
            "id": self.id,
            "epoch": self.epoch,
            "branch_id": self.branch,
            "base_commit_seq": self.base,
            "created_at": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "instance": self.instance,
            "producer_seq": self.number,
            "watermark": self.watermark,
            "actor": self.actor,
            "payload_bytes": len(self.payload),
            "payload_sha256": self.digest or hashlib.sha256(self.payload).hexdigest(),
        }
        whole = json.dumps(header).encode() + b"\n" + self.payload
        return whole[:len(whole) - self.cut]

    @property
    def readable(self):
        return self.digest is None and self.cut == 0 and self.unsafe_name is None

    @property
    def ledger_id(self):
        """Under which the ledger knows it. What does not verify must not use up the id that its header claims."""
        if self.readable:
            return self.id
        return "bad:" + hashlib.sha256(self.name.encode() + b"\0" + self.content()[:4096]).hexdigest()


def publish(volume, file):
    """Returns the path in `new`."""
    queue = pathlib.Path(volume) / "queue"
    temporary = queue / "tmp" / file.name
    target = queue / "new" / file.name
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660)
    try:
        rest = memoryview(file.content())
        while rest:
            rest = rest[os.write(descriptor, rest):]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, target)
    folder = os.open(queue / "new", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return target


def snapshot(entries):
    """The payload of a multibyte-snapshot. Each entry names what differs from a node of which nothing is known."""
    unknown = {
        "status": "unknown",
        "evidence": None,
        "max_hash_size": None,
        "adopted": False,
        "likely_legacy": False,
        "probability": None,
        "advert_proofs": 0,
        "relay_proofs": 0,
        "path_hints": 0,
        "last_proof_at": None,
    }
    nodes = sorted(({**unknown, **entry} for entry in entries), key=lambda entry: entry["public_key"])
    return json.dumps({"nodes": nodes}).encode()


def cluster_run(clusters, unclustered, watermark, job=None):
    """The payload of a cluster-snapshot. `clusters`: lists of public keys."""
    return json.dumps({
        "collection": "mesh",
        "coverage": "full",
        "match_rule": "memory",
        "algorithm": "test/1",
        "parameters": {"resolution": 1},
        "input_digest": "0" * 64,
        "watermark": watermark,
        "data_time": None,
        "job": job,
        "quality": {"modularity": 0.5},
        "clusters": [{"representative": members[0], "cohesion": 0.5, "label": f"Around {members[0][:6]}", "summary": "",
                      "members": [[member, 0.5] for member in members]} for members in clusters],
        "unclustered": unclustered,
    }).encode()


def neighbors(keys, edges):
    """The payload of a neighbor-snapshot: edges as (place of a, place of b, floods from a, floods from b, moment)."""
    return json.dumps({"nodes": keys, "edges": [[a, b, there, back, moment, moment, 2, None]
                                                for a, b, there, back, moment in edges]}).encode()


def cluster_job(identifier, state, moment):
    """The payload of a cluster-job that somebody asked for at that moment."""
    return json.dumps({
        "id": identifier, "collection": "mesh", "kind": "run", "state": state, "trigger": "request",
        "requested_by": "a person", "parameters": {}, "requested_at": moment, "started_at": moment,
        "finished_at": None, "statistics": {}, "error": "",
    }).encode()
