"""A consumer of the feed that never gives up: whatever dies, it goes on from its cursor, and must see every number once."""
import contextlib
import dataclasses
import http.client
import json
import random
import socket
import threading
import time

ANSWER_TIME = 40  # seconds; a stream gives a sign of life every 15
PAUSE = 0.02  # seconds before a server that does not answer is asked again
MOST_FAULTS = 20


@dataclasses.dataclass
class Frame:
    """One event of a stream, as the specification of server-sent events puts it together."""
    id: str = ""
    event: str = "message"
    data: str = ""


def frames(lines):
    """The events of which the blank line at the end has come: half an event is none."""
    frame = Frame()
    for line in lines:
        text = line.decode().rstrip("\r\n")
        if not text and line.endswith(b"\n"):
            if frame.data:
                yield frame
            frame = Frame()
            continue
        name, _, value = text.partition(":")
        if name in ("id", "event", "data"):
            setattr(frame, name, value.removeprefix(" "))


class FeedFollower(threading.Thread):
    """Reads by stream or by page, as it comes, from whatever port `port()` names at the time (None: no server)."""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self._port = port
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._stream = None  # the socket of the stream that is being read
        self.cursor = None
        self.commit = 1  # the newest that was told
        self.changes = []  # (seq, kind, entity_kind, entity_id)
        self.connections = {"stream": 0, "pages": 0}
        self.faults = []

    @property
    def position(self):
        return self.changes[-1][0] if self.changes else 0

    def end(self):
        self._ended.set()
        if stream := self._stream:
            with contextlib.suppress(OSError):  # it ended by itself
                stream.shutdown(socket.SHUT_RDWR)
        self.join()

    def run(self):
        while not self._ended.is_set() and len(self.faults) < MOST_FAULTS:
            port = self._port()
            if port:
                way = self._random.choice(sorted(self.connections))
                try:
                    self._follow_stream(port) if way == "stream" else self._follow_pages(port)
                    self.connections[way] += 1
                except (OSError, http.client.HTTPException):
                    self.connections[way] += 1  # it died, or is not there yet
            time.sleep(PAUSE)

    def take(self, change, identity):
        """One entry. Its number must be the one that follows."""
        if change["seq"] != self.position + 1:
            self.faults.append(f"after {self.position} the feed tells {change['seq']}")
        if identity != change["cursor"]:
            self.faults.append(f"the event has the id {identity}, and its entry the cursor {change['cursor']}")
        self.cursor = change["cursor"]
        self.commit = change["commit_seq"] or self.commit
        self.changes.append((change["seq"], change["kind"], change["entity_kind"], change["entity_id"]))

    def _follow_stream(self, port):
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIME)
        leave_at = time.monotonic() + self._random.expovariate(1 / 5)  # a consumer comes and goes by itself, too
        try:
            connection.request("GET", "/api/events?start=beginning", headers=headers)
            self._stream = connection.sock
            answer = connection.getresponse()
            if not self._is_fine(answer.status, answer):
                return
            for frame in frames(iter(answer.readline, b"")):
                if frame.event == "change":
                    self.take(json.loads(frame.data), frame.id)
                elif frame.event == "reset":
                    self.faults.append(f"a reset at {self.cursor}: {frame.data}")
                if self._ended.is_set() or time.monotonic() > leave_at:
                    return
        finally:
            self._stream = None
            connection.close()

    def _follow_pages(self, port):
        leave_at = time.monotonic() + self._random.expovariate(1)
        while not self._ended.is_set() and time.monotonic() < leave_at:
            where = f"cursor={self.cursor}" if self.cursor else "start=beginning"
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIME)
            try:
                connection.request("GET", f"/api/changes?{where}&limit={self._random.randint(1, 300)}")
                answer = connection.getresponse()
                body = answer.read()
                if not self._is_fine(answer.status, body):
                    return
                page = json.loads(body)
                for change in page["changes"]:
                    self.take(change, change["cursor"])
                self.cursor = page["cursor"]
            finally:
                connection.close()
            if page["caught_up"]:
                time.sleep(PAUSE)

    def _is_fine(self, status, answer):
        if status not in (200, 503):
            body = answer.read() if hasattr(answer, "read") else answer
            self.faults.append(f"the feed answers {status} to {self.cursor}: {body[:300]}")
        return status == 200
