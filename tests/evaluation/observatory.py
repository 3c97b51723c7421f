"""The real programs on one capture, end to end, in two instalments: what they answer."""
import contextlib
import dataclasses
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time

from receptions import Frame  # noqa: F401  (puts the support of the end-to-end tests on the path)
from support.observatory import Client
from support.programs import Program, eventually, listening_port

STATUSES = ("unknown", "suspected", "confirmed")
_PATIENCE = 900


@dataclasses.dataclass(frozen=True)
class Answers:
    """nodes: the entries of /api/multibyte by key; halfway: the status of each node after the first half of the capture;
    readiness: the document of /api/multibyte/readiness; seconds: of each step."""
    nodes: dict
    halfway: dict
    readiness: dict
    seconds: dict


class Observatory:
    def __init__(self, programs):
        self._programs = pathlib.Path(programs).resolve()
        for name in ("heliograph-ingestor", "heliograph-server"):
            if not os.access(self._programs / name, os.X_OK):
                raise SystemExit(f"{name} is not in {self._programs}: build it, or name another folder with --programs")

    def answers(self, capture, scratch):
        """Ingests a capture into a fresh volume below `scratch`, with an analytics cycle after each half."""
        with tempfile.TemporaryDirectory(prefix="volume-", dir=scratch) as folder:
            volume = Volume(self._programs, pathlib.Path(folder))
            half = _line_boundary(capture, os.path.getsize(capture) // 2)
            with open(capture, "rb") as lines:
                with subprocess.Popen(["head", "-c", str(half)], stdin=lines, stdout=subprocess.PIPE) as head:
                    volume.ingest(head.stdout)
                    head.stdout.close()
                volume.cycle()
                halfway = volume.statuses()
                lines.seek(half)
                volume.ingest(lines)
            volume.cycle()
            nodes, readiness = volume.serve()
            return Answers(nodes, halfway, readiness, volume.seconds)


class Volume:
    """A database and a queue in a folder, and the programs on it."""

    def __init__(self, programs, folder, config=None):
        self._programs, self._folder, self.data = programs, folder, folder / "data"
        self.data.mkdir()
        self._config = folder / "config.json"
        # No cycle of the server's own: each answer comes from the commands.
        self._config.write_text(json.dumps({"analytics": {"intervalSeconds": 86400}} | (config or {})), encoding="utf-8")
        self.seconds = {}

    def _run(self, what, name, *arguments, **options):
        begin = time.monotonic()
        command = [self._programs / f"heliograph-{name}", *arguments, "--data", self.data, "--config", self._config]
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False, **options)
        self.seconds[what] = self.seconds.get(what, 0) + time.monotonic() - begin
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
            raise RuntimeError(f"heliograph-{name} {' '.join(arguments)} ended with {done.returncode}:\n{said}")

    def ingest(self, lines):
        self._run("ingest", "ingestor", "run", "--once", "--capture", "-", stdin=lines)

    def ingest_bytes(self, lines):
        self._run("ingest", "ingestor", "run", "--once", "--capture", "-", input=lines)

    def cycle(self):
        self._run("analyze", "server", "analyze", stdin=subprocess.DEVNULL)
        self._run("apply", "ingestor", "apply", stdin=subprocess.DEVNULL)

    def database(self):
        """A connection that cannot write, to be closed by `with`."""
        return contextlib.closing(sqlite3.connect(f"file:{self.data / 'db' / 'heliograph.db'}?mode=ro", uri=True))

    def statuses(self):
        with self.database() as reader:
            rows = reader.execute("SELECT public_key, multibyte_sup FROM nodes UNION ALL"
                                  " SELECT public_key, multibyte_sup FROM inactive_nodes").fetchall()
        return {key.hex() if isinstance(key, bytes) else key.lower(): STATUSES[status] for key, status in rows}

    def serve(self):
        log = self._folder / "server.log"
        server = Program([str(self._programs / "heliograph-server"), "run", "--data", str(self.data), "--config",
                          str(self._config), "--listen", "127.0.0.1:0"], str(log))
        try:
            client = Client(listening_port(server))
            eventually("the server has read everything",
                       lambda: client.json("/api/multibyte?limit=1")["summary"]["progress"] == "complete")
            nodes = {node["public_key"]: node for node in client.all("/api/multibyte", "nodes")}
            readiness = client.json("/api/multibyte/readiness")
            server.terminate()
        finally:
            server.close()
        return nodes, readiness


def _line_boundary(path, at):
    """The offset of the first line that begins at or after `at`."""
    with open(path, "rb") as file:
        file.seek(at)
        file.readline()
        return file.tell()
