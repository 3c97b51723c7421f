"""What flows through the two programs while they are killed: packets, queue files, requests of people; and who looks on."""
import contextlib
import datetime
import fcntl
import hashlib
import http.client
import json
import os
import random
import sqlite3
import threading
import time

import database_state
import mesh_packets
import queue_publisher
from scenario import UTC, confirmed, suspected

START = datetime.datetime(2025, 1, 1, tzinfo=UTC)
REPEATERS = 12
OBSERVERS = 5  # of the capture
INJECTING_OBSERVER = 9  # of whatever comes by another way
FIRST_INJECTED = 1_000_000_000  # the numbers of packets that come by another way
NEIGHBORHOOD_CHANGES_EVERY = 3000  # packets
ANSWER_TIME = 10  # seconds
BETWEEN_REQUESTS = 0.2  # seconds, on average
BETWEEN_LOOKS = 0.05  # seconds


# --- Packets ----------------------------------------------------------------------------------------------------------


def flood(number):
    """A flood over two repeaters that are neighbors for a while. Its payload tells its number and is else noise."""
    here = number * 5 % REPEATERS
    apart = 1 + number // NEIGHBORHOOD_CHANGES_EVERY % 3
    path = bytes(int(mesh_packets.public_key(at % REPEATERS)[:2], 16) for at in (here, here + apart))
    noise = hashlib.sha256(b"flood %d" % number).digest()
    return bytes([mesh_packets.FLOOD_TEXT, len(path)]) + path + noise[:4] + number.to_bytes(8, "big") + noise[:8]


def payload_of(frame):
    hops, size = frame[1] & 63, (frame[1] >> 6) + 1
    return frame[2 + hops * size:]


def number_of(payload):
    """Of a flood."""
    return int.from_bytes(payload[4:12], "big")


def line(number):
    """The line of the capture with that number: first the repeaters present themselves."""
    moment = START + datetime.timedelta(milliseconds=100 * number)
    frame = mesh_packets.advert(number) if number < REPEATERS else flood(number)
    return mesh_packets.reception(frame, number % OBSERVERS, moment).encode() + b"\n"


def stored_packets(database, after=0):
    """(id, number, whether it came by the capture) of the observations above that id, in the order of their storing."""
    capture = {mesh_packets.observer(number) for number in range(OBSERVERS)}
    adverts = {payload_of(mesh_packets.advert(number)): number for number in range(REPEATERS)}
    for identity, payload, observer in database.execute(
            "SELECT s.id, t.payload, o.id FROM observations AS s JOIN transmissions AS t ON t.id=s.transmission_id"
            " JOIN observers AS o ON o.observer_key=s.observer_key WHERE s.id > ? ORDER BY s.id", [after]):
        payload = bytes(payload)
        yield identity, adverts.get(payload) if payload in adverts else number_of(payload), observer.upper() in capture


# --- Queue files ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def producer_lock(volume):
    """The right to publish, of which there is one. REQUIRED: no server runs."""
    descriptor = os.open(volume / "queue" / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


class Publications:
    """Files that this test publishes in the server's place."""

    STREAMS = {"multibyte-snapshot": "multibyte", "cluster-snapshot": "clusters-mesh", "neighbor-snapshot": "neighbors"}

    def __init__(self, volume, chance):
        self._volume = volume
        self._chance = chance
        self._number = 0
        self._nodes = {number: suspected(number, 0.5) if number % 2 else confirmed(number) for number in range(REPEATERS)}
        self._cluster_of = [number // 4 for number in range(REPEATERS)]
        self.files = []
        self.snapshots = 0
        self.injected = 0

    def _database(self):
        return database_state.opened(database_state.database_of(self._volume))

    def go_on_from_the_last_number(self):
        """In this order: a file leaves the queue only after its number is in the ledger."""
        waiting = [int(path.name[:20]) for path in (self._volume / "queue" / "new").glob("*") if path.name[:20].isdigit()]
        with self._database() as database:
            recorded = database.execute("SELECT coalesce(max(producer_seq), 0) FROM ledger").fetchone()[0]
            self._epoch = database.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()[0]
        self._number = max([recorded, self._number, *waiting])

    def wait_until_applied(self, seconds):
        """Gives up after so long: the ingestor may be dead."""
        deadline = time.monotonic() + seconds
        while any((self._volume / "queue" / "new").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.002)

    def publish_snapshot(self):
        kind = self._chance.choices(sorted(self.STREAMS), [35, 55, 10])[0]
        payload = {"multibyte-snapshot": self._capability, "cluster-snapshot": self._clusters,
                   "neighbor-snapshot": self._neighbors}[kind]
        with self._database() as database:
            mark = database.execute("SELECT coalesce(max(id), 0) FROM observations").fetchone()[0]
        self._publish(kind, payload(mark), stream=self.STREAMS[kind], watermark=mark)
        self.snapshots += 1

    def publish_torn(self):
        self._publish("multibyte-snapshot", self._capability(0), cut=self._chance.randrange(1, 500))

    def publish_packet(self):
        self.injected += 1
        packet = mesh_packets.reception(flood(FIRST_INJECTED + self.injected), INJECTING_OBSERVER, START)
        self._publish("packet-inject", packet.encode() + b"\n", stream="packet-inject")

    def _publish(self, kind, payload, **more):
        self._number += 1
        file = queue_publisher.QueueFile(kind, self._epoch, self._number, payload, **more)
        queue_publisher.publish(self._volume, file)
        self.files.append(file)

    def _capability(self, _mark):
        """What is confirmed stays so; the others are weighed anew."""
        number = self._chance.randrange(1, REPEATERS, 2)
        self._nodes[number] = suspected(number, self._chance.randrange(1, 100) / 100)
        return queue_publisher.snapshot(self._nodes.values())

    def _clusters(self, mark):
        if self._chance.random() < 0.9:  # else the same as before
            self._cluster_of[self._chance.randrange(REPEATERS)] = self._chance.randrange(-1, 4)
        members = [[mesh_packets.public_key(node) for node in range(REPEATERS) if self._cluster_of[node] == cluster]
                   for cluster in range(-1, 4)]
        return queue_publisher.cluster_run([cluster for cluster in members[1:] if cluster], members[0], mark)

    def _neighbors(self, _mark):
        keys = sorted(map(mesh_packets.public_key, range(REPEATERS)))
        pairs = sorted({tuple(sorted(self._chance.sample(range(REPEATERS), 2))) for _ in range(8)})
        moment = int(START.timestamp() * 1000)
        return queue_publisher.neighbors(keys, [(a, b, self._chance.randrange(9), 1.0, moment) for a, b in pairs])


# --- People ------------------------------------------------------------------------------------------------------------


class Asker(threading.Thread):
    """Asks whatever server there is to change something, and remembers what was accepted."""

    def __init__(self, port, commit, seed):
        super().__init__(daemon=True)
        self._port, self._commit = port, commit
        self._random = random.Random(seed + 1)
        self._ended = threading.Event()
        self._number = 0
        self.tried_packets = set()
        self.accepted_packets = set()
        self.accepted = []  # ids of queue files
        self.jobs = []
        self.refused = {}  # by status
        self.faults = []

    def end(self):
        self._ended.set()
        self.join()

    def run(self):
        asks = (self._packet, self._packet, self._job, self._job, self._rename, self._pin, self._branch)
        while not self._ended.is_set():
            time.sleep(self._random.uniform(0, 2 * BETWEEN_REQUESTS))
            if port := self._port():
                self._number += 1
                try:
                    self._random.choice(asks)(port)
                except (OSError, http.client.HTTPException):
                    pass  # it died meanwhile: what was asked may be done or not

    def _ask(self, port, method, path, body=None):
        """The answer, if it was accepted or is just told."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIME)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status in (200, 202):
            return json.loads(content)
        self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
        if answer.status not in (404, 409, 503):
            self.faults.append(f"{method} {path} {text} is answered with {answer.status}: {content[:300]}")
        return {}

    def _request(self, port, method, path, body=None):
        answer = self._ask(port, method, path, body)
        if answer:
            self.accepted.append(answer["requestId"])
        return answer

    def _packet(self, port):
        number = 2 * FIRST_INJECTED + self._number
        self.tried_packets.add(number)
        if self._request(port, "POST", "/api/packets", {"hex": flood(number).hex(),
                                                        "observer": mesh_packets.observer(INJECTING_OBSERVER)}):
            self.accepted_packets.add(number)

    def _job(self, port):
        answer = self._ask(port, "POST", "/api/cluster-jobs",
                           {"parameters": {"resolution": self._random.choice((0.5, 1, 2, 4))}})
        if answer:
            self.jobs.append(answer["id"])

    def _rename(self, port):
        clusters = self._ask(port, "GET", "/api/clusters").get("clusters")
        if clusters:
            self._request(port, "POST", f"/api/clusters/{self._random.choice(clusters)['id']}/rename",
                          {"title": f"Title {self._number}", "reason": "of a soak"})

    def _pin(self, port):
        if self._random.random() < 0.5:
            self._request(port, "POST", "/api/pins", {"name": f"pin-{self._number % 5}", "commit": f"seq:{self._commit()}"})
        else:
            self._request(port, "DELETE", f"/api/pins/pin-{self._number % 5}")

    def _branch(self, port):
        if self._random.random() < 0.5:
            self._request(port, "POST", "/api/branches", {"name": f"branch-{self._number % 3}"})
        else:
            self._request(port, "DELETE", f"/api/branches/branch-{self._number % 3}")


# --- The onlooker ---------------------------------------------------------------------------------------------------------

# What a pointer names and is not there as a whole, or not told.
HALF_VISIBLE = """
SELECT s.branch_id, s.active_run FROM cluster_state AS s LEFT JOIN cluster_runs AS r ON r.run_id=s.active_run
WHERE r.commit_seq IS NULL OR r.commit_seq IS NOT s.commit_seq
 OR r.cluster_count IS NOT (SELECT count(*) FROM cluster_snapshots AS c WHERE c.run_id=r.run_id)
 OR r.member_count IS NOT (SELECT count(ordinal) FROM cluster_members AS m WHERE m.run_id=r.run_id)
 OR r.unclustered_count IS NOT (SELECT count(*) - count(ordinal) FROM cluster_members AS m WHERE m.run_id=r.run_id)
 OR NOT EXISTS (SELECT 1 FROM commit_log AS c WHERE c.commit_seq=r.commit_seq AND c.ledger_id=r.file_id)
 OR NOT EXISTS (SELECT 1 FROM ledger AS l WHERE l.id=r.file_id AND l.outcome='applied' AND l.commit_seq=r.commit_seq)
 OR NOT EXISTS (SELECT 1 FROM change_log AS f WHERE f.commit_seq=r.commit_seq AND f.kind='commit')
"""


class Onlooker(threading.Thread):
    """Reads the database as the server does, at any moment, and must never see a part of a run."""

    def __init__(self, volume):
        super().__init__(daemon=True)
        self._volume = volume
        self._ended = threading.Event()
        self.looks = 0
        self.runs = set()
        self.faults = []

    def end(self):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.is_set() and len(self.faults) < 20:
            time.sleep(BETWEEN_LOOKS)
            with contextlib.suppress(sqlite3.OperationalError):  # not made yet, or being recovered just now
                self._look()

    def _look(self):
        with database_state.opened(database_state.database_of(self._volume)) as database:
            database.execute("BEGIN")
            self.faults += [f"branch {branch} names run {run}, of which only a part can be seen"
                            for branch, run in database.execute(HALF_VISIBLE)]
            self.runs.update(row[0] for row in database.execute("SELECT active_run FROM cluster_state"))
        self.looks += 1
