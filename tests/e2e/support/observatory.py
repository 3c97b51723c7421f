"""The pair on one volume: commands, the running programs, the database read-only, and HTTP."""
import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import time

from support.programs import EndToEnd, PATIENCE, eventually, listening_port, programs_folder


class Answer:
    """What the server answered."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """HTTP to one server, a connection for each request."""

    def __init__(self, port, key=None):
        self.port, self.key = port, key

    def request(self, method, path, body=None, headers=None, timeout=30):
        headers = dict(headers or {})
        if self.key is not None:
            headers.setdefault("X-API-Key", self.key)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body=body, **options)

    def json(self, path):
        """The document at `path`, once the server has it: a server that is still reading is asked again."""
        def asked():
            answer = self.get(path)
            return answer if answer.status != 503 else None
        answer = eventually(f"the server answers {path}", asked)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.body[:500]!r}")
        return answer.json()

    def all(self, path, plural):
        """All entries of a list, page by page."""
        entries, cursor = [], ""
        while True:
            page = self.json(path + ("&" if "?" in path else "?") + "limit=200" + cursor)
            entries += page[plural]
            if not page["next"]:
                if len(entries) != page["total"]:
                    raise AssertionError(f"{path}: {len(entries)} entries in all pages, total is {page['total']}")
                return entries
            cursor = "&cursor=" + page["next"]


class Observatory(EndToEnd):
    """A test on a volume of its own."""

    def setUp(self):
        super().setUp()
        self.data = self.path("data")
        os.mkdir(self.data)
        self.write_config({})

    # --- Programs ---

    def write_config(self, config):
        """The configuration of both programs. Analytics cycles wait for a day unless it says otherwise."""
        self.config = self.write("config.json", json.dumps({"analytics": {"intervalSeconds": 86400}, **config}))

    @staticmethod
    def program(name):
        return os.path.join(programs_folder(), "heliograph-" + name)

    def command(self, name, *arguments, data=None, environment=None, stdin=b"", config=True):
        """Runs a command to its end."""
        configured = ["--config", self.config] if config and arguments[0] in ("run", "migrate", "apply", "analyze") else []
        return subprocess.run([self.program(name), *map(str, arguments), "--data", data or self.data, *configured],
                              input=stdin, capture_output=True, timeout=PATIENCE * 2, check=False,
                              env={**os.environ, **(environment or {})})

    def expect(self, code, name, *arguments, **options):
        """Runs a command that must end with `code`; what it said."""
        done = self.command(name, *arguments, **options)
        said = (done.stdout + done.stderr).decode(errors="replace")
        self.assertEqual(done.returncode, code, f"heliograph-{name} {' '.join(map(str, arguments))}:\n{said}")
        return said

    def ingest(self, lines, **options):
        """Ingests capture lines with run --once; what the ingestor said."""
        text = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)
        return self.expect(0, "ingestor", "run", "--once", "--capture", "-", stdin=text, **options)

    def start_ingestor(self, *sources, environment=None, **options):
        """A running ingestor; without sources it has a broker that is not there, and so only the queue."""
        program = self.start(self.program("ingestor"), "run", "--data", self.data, "--config", self.config,
                             *(sources or ("--mqtt", "mqtt://127.0.0.1:1")),
                             env={**os.environ, **(environment or {})}, **options)
        eventually("the ingestor is ready", lambda: "Ready: " in program.log() or not program.running())
        self.assertTrue(program.running(), program.log())
        return program

    def start_server(self, *arguments, key=None, environment=None):
        """A running server, and a client of it."""
        program = self.start(self.program("server"), "run", "--data", self.data, "--config", self.config,
                             "--listen", "127.0.0.1:0", *arguments, env={**os.environ, **(environment or {})})
        return program, Client(listening_port(program), key)

    def stop(self, program):
        """SIGTERM, and the end in order that the programs promise."""
        code, seconds = program.terminate()
        self.assertEqual(code, 0, program.log())
        self.assertLess(seconds, 10, "SIGTERM must end the program within 10 s")
        return seconds

    # --- What is stored ---

    @property
    def database(self):
        return os.path.join(self.data, "db", "heliograph.db")

    def rows(self, query, *parameters):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query, parameters).fetchall()

    def value(self, query, *parameters):
        return self.rows(query, *parameters)[0][0]

    def count(self, table):
        return self.value(f"SELECT count(*) FROM {table}")

    def counters(self):
        """Counters of the ingestor that are not zero. They are written every 5 s, and at the end."""
        return {name: value for name, value in self.rows("SELECT name, value FROM ingest_counter") if value}

    def edit_database(self, script):
        """Changes the database of a stopped pair, as no program would."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.executescript(script)
            database.commit()

    def queue(self, folder):
        path = os.path.join(self.data, "queue", folder)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def outcome(self, client, request_id):
        """The ledger's row of a posted request, once it is there."""
        def finished():
            document = client.json(f"/api/requests/{request_id}")
            return document if document["state"] == "finished" else None
        return eventually(f"the request {request_id} is carried out", finished)

    def expect_whole(self):
        """Database and queue are as they must be."""
        self.assertIn("all is well", self.expect(0, "ingestor", "check"))


def quantiles(seconds):
    """A line for a person: how a handful of latencies is distributed."""
    ordered = sorted(seconds)
    pick = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
    return (f"{len(ordered)} samples: min {ordered[0] * 1000:.0f} ms, median {pick(.5):.0f} ms, p90 {pick(.9):.0f} ms, "
            f"max {ordered[-1] * 1000:.0f} ms")


def now_text(offset_seconds=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset_seconds))
