"""Queue files as section 3 of the design writes them down, made without the programs' own code."""
import hashlib
import json
import os
import secrets
import time

from support.observatory import now_text

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DAY = 86400


def new_id():
    """A ULID."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))


class QueueFile:
    """A queue file that the ingestor applies, until a test spoils it. Members of the header may be given."""

    def __init__(self, observatory, kind, payload, sequence, **header):
        self.payload = payload if isinstance(payload, bytes) else payload.encode()
        self.header = {"format": 1, "kind": kind, "stream": kind, "id": new_id(),
                       "epoch": observatory.value("SELECT value FROM meta WHERE key = 'epoch'"), "branch_id": 1,
                       "base_commit_seq": 0, "created_at": now_text(), "instance": "test", "producer_seq": sequence,
                       "watermark": 0, "actor": "test", "payload_bytes": len(self.payload),
                       "payload_sha256": hashlib.sha256(self.payload).hexdigest(), **header}
        self.folder = os.path.join(observatory.data, "queue")

    @property
    def id(self):
        return self.header["id"]

    @property
    def name(self):
        return f"{self.header['producer_seq']:020}-{self.id}.{self.header['kind']}"

    def content(self):
        return json.dumps(self.header).encode() + b"\n" + self.payload

    def publish(self, content=None, name=None):
        """Puts the file, or the spoilt content, into `new` as a whole."""
        temporary = os.path.join(self.folder, "tmp", self.id)
        with open(temporary, "wb") as file:
            file.write(self.content() if content is None else content)
        os.rename(temporary, os.path.join(self.folder, "new", name or self.name))
        return self


def inject(observatory, sequence, line, **header):
    """A file that brings one line of a capture."""
    return QueueFile(observatory, "packet-inject", line + "\n", sequence, **header)
