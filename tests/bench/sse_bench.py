"""A thousand clients of the event stream: how soon each hears of a commit, and what the others wait for meanwhile."""
import json
import multiprocessing
import selectors
import socket
import threading
import time

from http_client import Client
from material import ask, copy_volume, reading
from processes import Running, wait_until
from publish_bench import publish_confirmed
from results import percentile
from server_bench import serve, wait_until_complete

LISTENERS = 1000
COMMITS = 40
PAUSE = 0.25  # seconds between two commits
READERS = 4  # clients that read /api/nodes meanwhile
LAST_PATIENCE = 2  # seconds after the last commit
HEARD = ("<=", 0.5)
READ = ("<=", 50)


class Listeners:
    """Clients in a process of their own that note when each event came. One more never reads."""

    def __init__(self, port, count):
        self._ends = multiprocessing.Event()
        self._pipe, other_end = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_listen, args=(port, count, self._ends, other_end))

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._process.join(30)

    def heard(self):
        """{seq: the moments at which it came}, and whether every client heard all in order."""
        self._ends.set()
        return self._pipe.recv()


def _connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(b"GET /api/events HTTP/1.1\r\nHost: bench\r\n\r\n")
    return connection


def _listen(port, count, ends, pipe):
    selector = selectors.DefaultSelector()
    heard, in_order, rest, newest = {}, True, {}, {}
    for _ in range(count):
        connection = _connect(port)
        selector.register(connection, selectors.EVENT_READ)
        rest[connection], newest[connection] = b"", 0
    deaf = _connect(port)
    while not ends.is_set():
        for key, _ in selector.select(timeout=0.1):
            connection = key.fileobj
            arrived, moment = connection.recv(65536), time.time()
            in_order = in_order and bool(arrived)
            if not arrived:
                selector.unregister(connection)
            *frames, rest[connection] = (rest[connection] + arrived).split(b"\n\n")
            for frame in frames:
                if b"\nevent: change\n" not in frame:
                    continue
                seq = int(frame[frame.index(b"id: "):frame.index(b"\nevent")].rsplit(b"-", 1)[1])
                in_order = in_order and newest[connection] in (0, seq - 1)
                newest[connection] = seq
                heard.setdefault(seq, []).append(moment)
    pipe.send((heard, in_order))
    for connection in [*rest, deaf]:
        connection.close()


class Readers:
    """Clients that read a page of nodes again and again, and note how long it took."""

    def __init__(self, port, count):
        self.seconds = []
        self._ends = False
        self._threads = [threading.Thread(target=self._read, args=(port,)) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends = True
        for thread in self._threads:
            thread.join()

    def _read(self, port):
        client = Client(port)
        while not self._ends:
            begin = time.monotonic()
            client.request("GET", "/api/nodes")
            self.seconds.append(time.monotonic() - begin)
            time.sleep(0.01)


def listen_to_commits(bench, data, folder, listeners=LISTENERS):
    """({seq: delays}, delays of /api/nodes, memory of the server in bytes)"""
    config = folder / "config.json"
    config.write_text(json.dumps({"analytics": {"intervalSeconds": 3600}, "http": {"maxStreams": 2 * listeners}}))
    with Running([bench.programs["heliograph-ingestor"], "run", "--data", data], folder / "ingestor.log"), \
            serve(bench, data, folder / "server.log", config) as server, Listeners(server.port(), listeners) as all_listeners:
        client = Client(server.port())
        wait_until_complete(client)
        epoch = ask(data, "SELECT value FROM meta WHERE key = 'epoch'")
        first = ask(data, "SELECT coalesce(max(seq), 0) FROM change_log")
        wait_until("all streams are open", lambda: streams_of(client) > listeners)
        with Readers(server.port(), READERS) as readers:
            for number, key in enumerate(unknown_nodes(client, COMMITS)):
                publish_confirmed(client, data, epoch, number, key)
                time.sleep(PAUSE)
            time.sleep(LAST_PATIENCE)
        memory = server.memory()
        heard, in_order = all_listeners.heard()
    with reading(data) as connection:
        committed = dict(connection.execute("SELECT l.seq, c.committed_us / 1e6 FROM change_log AS l JOIN commit_log AS c"
                                            " USING(commit_seq) WHERE l.seq > ?", (first,)).fetchall())
    missed = [seq for seq in committed if len(heard.get(seq, ())) != listeners]
    if missed or not in_order or len(committed) < 2 * COMMITS:
        raise RuntimeError(f"{len(missed)} of {len(committed)} events were not heard once by each client, in order")
    return {seq: [moment - committed[seq] for moment in heard[seq]] for seq in committed}, readers.seconds, memory


def measure(bench):
    source = bench.material.volume("16")
    with bench.material.scratch() as folder:
        data = copy_volume(source, folder / "data")
        load = bench.quiet.wait()
        delays, reads, memory = listen_to_commits(bench, data, folder)
    heard = [delay for of_one in delays.values() for delay in of_one]
    note = f"{LISTENERS} clients and one that never reads, {len(delays)} events, server {memory / 1e6:.0f} MB"
    for share in (50, 99):
        bench.report.add("events", f"commit to client, p{share}", percentile(heard, share), "s",
                         target=HEARD if share == 99 else None, load=load, note=note)
    bench.report.add("events", "GET /api/nodes meanwhile, p99", percentile(reads, 99) * 1e3, "ms", target=READ, load=load,
                     note=f"{len(reads)} reads by {READERS} clients")


def streams_of(client):
    _, _, text = client.request("GET", "/metrics")
    line = next(line for line in text.decode().splitlines() if line.startswith("heliograph_http_streams"))
    return float(line.split()[-1])


def unknown_nodes(client, count):
    nodes = client.json(f"/api/multibyte?status=unknown&limit={count}")["nodes"]
    if len(nodes) < count:
        raise RuntimeError(f"only {len(nodes)} nodes are unknown, {count} are needed")
    return [node["public_key"] for node in nodes]
