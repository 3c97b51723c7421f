"""Many clients of the event streams on one thread, which drop and resume at random as clients in the field do."""
import dataclasses
import heapq
import itertools
import json
import random
import re
import selectors
import socket
import struct
import threading
import time

from support.event_stream import EventStreamParser

RETRY = 0.1  # seconds until a client whose server is away tries again
MOST_GHOSTS = 150
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: a reset in the place of an orderly end


@dataclasses.dataclass
class Segment:
    """What came in one piece: everything after `begin`, until a reset."""
    begin: int
    reset: dict | None = None  # the data of the reset that it began with
    heard: list = dataclasses.field(default_factory=list)


def position_of(cursor):
    return int(cursor.rsplit("-", 1)[1])


class Listener:
    """One client. `wants` says of a row of the log whether the filter of `query` passes it."""

    def __init__(self, path, query="", wants=lambda row: True, start="start=beginning", stays_away=False):
        self.path, self.wants, self.stays_away = path, wants, stays_away
        self.segments, self.last_id, self.connects, self.beats = [], "", 0, 0
        self._query, self._start = query, start
        self.connection = self._parser = self._head = None
        self.left = None  # bytes until it drops; None: it stays

    def request(self):
        """How it asks: as an EventSource, whose URL stays as it was first; or with the cursor in the URL alone."""
        parts, header = [self._query] if self._query else [], ""
        if not self.last_id:
            parts.append(self._start)
        elif random.random() < 0.5:
            header = f"Last-Event-ID: {self.last_id}\r\n"
            parts.append(self._start)
        else:
            parts.append("cursor=" + self.last_id)
        return f"GET {self.path}?{'&'.join(parts)} HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n{header}\r\n".encode()

    def opened(self, connection):
        self.connection, self._parser, self._head = connection, EventStreamParser(self.last_id), b""
        self.connects += 1

    def take(self, data):
        """The events that these bytes complete."""
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return []
            assert head.startswith(b"HTTP/1.1 200 ") and b"Content-Type: text/event-stream" in head, head
            self._head = None
        events = self._parser.feed(data)
        assert self._parser.retry in (None, 3000), f"retry: {self._parser.retry}"
        for event in events:
            self._hear(event)
            self.last_id = event.id
        return events

    def _hear(self, event):
        position = position_of(event.id)
        if event.type == "hello":
            if self.last_id:
                assert event.id == self.last_id, f"asked for {self.last_id}, and it goes on at {event.id}"
            else:
                self.segments.append(Segment(position))
        elif event.type == "reset":
            reset = json.loads(event.data)
            assert reset["cursor"] == event.id, reset
            self.segments.append(Segment(position, reset))
        elif event.type == "hb":
            assert position >= position_of(self.last_id), f"a beat goes back from {self.last_id} to {event.id}"
            self.beats += 1
        else:
            assert position > position_of(self.last_id), f"{event.id} came after {self.last_id}"
            self.segments[-1].heard.append(position)

    def resets(self):
        return [segment.reset for segment in self.segments if segment.reset]


class Listeners(threading.Thread):
    """Runs all listeners. What a failed assertion of theirs says is raised by `check`."""

    def __init__(self, listeners, seed, varies):
        """What matches `varies` in the data of an event may change between two tellings."""
        super().__init__()
        self.listeners = listeners
        self._varies = re.compile(varies)
        self.port = None  # of the server, while there is one
        self.told = {}  # (path, position) -> the data, which is the same for all
        self.drops = {way: 0 for way in ("closed", "aborted", "half closed", "left open")}
        self._random = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._due, self._tie = [], itertools.count()
        self._ghosts = []
        self._settled = self._ended = self._apart = False
        self._problem = None

    # --- For the test's own thread ---

    def settle(self):
        """From now on nobody drops any more."""
        self._settled = True

    def keep_away(self, apart):
        """Those that stay away drop and do not come again until they may."""
        self._apart = apart

    def check(self):
        if self._problem:
            raise AssertionError("a listener: " + str(self._problem)) from self._problem

    def end(self):
        self._ended = True
        self.join()
        for connection in self._ghosts + [one.connection for one in self.listeners if one.connection]:
            connection.close()
        self._selector.close()

    # --- The loop ---

    def run(self):
        for listener in self.listeners:
            self._at(self._random.uniform(0, 1), self._connect, listener)
        try:
            while not self._ended:
                self._turn()
        except Exception as problem:  # pylint: disable=broad-except
            self._problem = problem

    def _turn(self):
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, action, listener, connects = heapq.heappop(self._due)
            if listener.connects == connects:
                action(listener)
        for key, _ in self._selector.select(timeout=0.02):
            self._read(key.data)

    def _at(self, seconds, action, listener):
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._tie), action, listener, listener.connects))

    def _connect(self, listener):
        if listener.stays_away and self._apart:
            return self._at(RETRY, self._connect, listener)
        try:
            connection = socket.create_connection(("127.0.0.1", self.port or 0), timeout=5)
            connection.sendall(listener.request())
        except OSError:
            return self._at(RETRY, self._connect, listener)
        connection.setblocking(False)
        listener.opened(connection)
        self._selector.register(connection, selectors.EVENT_READ, listener)
        # Some go in the middle of the first bytes, some later, some after a time without any.
        listener.left = self._random.choice((self._random.randrange(600), self._random.randrange(60_000)))
        if listener.stays_away:
            listener.left = 1 << 40
        return self._at(self._random.uniform(0.1, 5), self._drop_in_time, listener)

    def _read(self, listener):
        at_most = self._random.choice((7, 300, 5000))
        if not self._settled:
            at_most = min(at_most, listener.left)
        try:
            data = listener.connection.recv(max(at_most, 1))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._forget(listener).close()
            self._at(RETRY, self._connect, listener)
            return
        listener.left -= len(data)
        for event in listener.take(data):
            if event.type in ("change", "packet"):
                tells = self._varies.sub("", event.data)
                told = self.told.setdefault((listener.path, position_of(event.id)), tells)
                assert told == tells, f"{event.id} is told as {tells} and as {told}"
        if listener.left <= 0 and not self._settled:
            self._drop(listener)

    def _drop_in_time(self, listener):
        if not listener.connection or self._settled:
            return
        if listener.stays_away and not self._apart:
            self._at(RETRY, self._drop_in_time, listener)
        else:
            self._drop(listener)

    def _drop(self, listener):
        connection = self._forget(listener)
        way = self._random.choice([way for way in self.drops if way != "left open" or len(self._ghosts) < MOST_GHOSTS])
        self.drops[way] += 1
        if way == "left open":
            self._ghosts.append(connection)  # and never read again
        elif way == "half closed":
            connection.shutdown(socket.SHUT_WR)
            self._ghosts.append(connection)
        else:
            if way == "aborted":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            connection.close()
        self._at(self._random.uniform(0, 1), self._connect, listener)

    def _forget(self, listener):
        connection, listener.connection = listener.connection, None
        self._selector.unregister(connection)
        return connection
