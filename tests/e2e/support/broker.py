"""A broker with the settings of deploy/mosquitto.conf, a publisher that speaks MQTT 3.1.1, and a proxy that can go deaf."""
import contextlib
import os
import random
import re
import select
import shutil
import socket
import struct
import threading

from support.programs import ROOT, eventually


def free_ports(count):
    """Ports that were free a moment ago, all different: below those that the kernel gives to connections and to port 0, so
    that only another caller can take one meanwhile."""
    free = []
    for port in random.sample(range(20_000, 32_000), 12_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            free.append(port)
        if len(free) == count:
            return free
    raise AssertionError(f"fewer than {count} ports are free")


class Broker:
    """mosquitto as deployed, but on ports and in a folder of the test. `test` starts and ends it."""

    def __init__(self, test, name="broker"):
        if not shutil.which("mosquitto"):
            test.fail("no mosquitto; run deploy/install-deps.sh test")
        self._test = test
        self._folder = folder = test.path(name)
        os.mkdir(folder)
        os.chmod(folder, 0o777)  # started by root, the broker becomes a user of its own
        # Another program may take a port between the look and the listening.
        for _ in range(10):
            self.port, self.websocket_port = free_ports(2)
            self._configuration = test.write(name + ".conf", self._deployed(folder))
            if self._start():
                return
        test.fail(f"the broker does not start:\n{self.program.log()}")

    def _deployed(self, folder):
        with open(os.path.join(ROOT, "deploy", "mosquitto.conf"), encoding="utf-8") as file:
            text = file.read()
        for deployed, here in (("listener 1883 ", f"listener {self.port} "),
                               ("listener 9001 ", f"listener {self.websocket_port} "),
                               ("/var/lib/mosquitto/", folder + "/")):
            self._test.assertEqual(text.count(deployed), 1, f"deploy/mosquitto.conf has one {deployed!r}")
            text = text.replace(deployed, here)
        return text + "\nlog_type information\n"  # among it that all listeners are open

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        if not self._start():
            self._test.fail(f"the broker has ended:\n{self.program.log()}")

    def _start(self):
        """False when it ends instead of listening."""
        self.program = self._test.start("mosquitto", "-c", self._configuration)
        # Its log tells that it listens itself; whoever answers on the port may be another.
        eventually("the broker listens", lambda: self._listens() or not self.program.running())
        return self.program.running()

    def _listens(self):
        return re.search(r"mosquitto version \S+ running", self.program.log())

    def stop(self):
        """An end in order: the broker writes its queues down."""
        self.program.terminate()

    def lose_everything(self):
        """A restart after which it knows neither sessions nor messages."""
        self.stop()
        for name in os.listdir(self._folder):
            os.remove(os.path.join(self._folder, name))
        self.start()

    def publish(self, messages, qos=1, retain=False):
        """Publishes (topic, payload) pairs; with QoS 1 returns when the broker has taken them all."""
        publisher = Publisher(self.port)
        for topic, payload in messages:
            publisher.publish(topic, payload, qos, retain)
        publisher.close()


class Publisher:
    """The least of an MQTT client that publishes. close() returns when the broker has all of it."""

    WINDOW = 20  # in flight; the broker's own limit for a client

    def __init__(self, port, client_id=b""):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self._unacknowledged, self._next_id = set(), 1
        self._send(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(client_id)) + client_id)
        kind, body = self._receive()
        if kind != 0x20 or body[1] != 0:
            raise ConnectionError(f"the broker refuses the connection: {body!r}")

    def publish(self, topic, payload, qos=1, retain=False):
        topic = topic.encode()
        body = struct.pack(">H", len(topic)) + topic
        if qos:
            while len(self._unacknowledged) >= self.WINDOW:
                self._take_acknowledgement()
            body += struct.pack(">H", self._next_id)
            self._unacknowledged.add(self._next_id)
            self._next_id = self._next_id % 0xFFFF + 1
        self._send(0x30 | qos << 1 | retain, body + (payload if isinstance(payload, bytes) else payload.encode()))

    def close(self):
        while self._unacknowledged:
            self._take_acknowledgement()
        # A ping is answered after all that was sent before it: what had QoS 0 is then taken, too.
        self._send(0xC0, b"")
        while self._receive()[0] != 0xD0:
            pass
        self._send(0xE0, b"")
        self._socket.close()

    def _take_acknowledgement(self):
        kind, body = self._receive()
        if kind == 0x40:
            self._unacknowledged.discard(struct.unpack(">H", body[:2])[0])

    def _send(self, kind, body):
        length, rest = b"", len(body)
        while True:
            rest, digit = divmod(rest, 128)
            length += bytes([digit | (128 if rest else 0)])
            if not rest:
                break
        self._socket.sendall(bytes([kind]) + length + body)

    def _receive(self):
        kind, length, shift = self._read(1)[0], 0, 0
        while True:
            digit = self._read(1)[0]
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return kind, self._read(length)

    def _read(self, count):
        while len(self._unread) < count:
            got = self._socket.recv(65536)
            if not got:
                raise ConnectionError("the broker closed the connection")
            self._unread += got
        data, self._unread = self._unread[:count], self._unread[count:]
        return data


class DeafProxy:
    """Forwards TCP to a port, until those connections that exist are made deaf: open, and nothing moves any more."""

    def __init__(self, test, target_port):
        self._target = target_port
        self._pairs, self._deaf, self.accepted = [], set(), 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        test.addCleanup(self.close)

    def go_deaf(self):
        """From now on the present connections carry nothing, in either direction; new ones work."""
        self._deaf = {id(pair) for pair in list(self._pairs)}
        self._waker.send(b".")

    def close(self):
        self._waker.close()
        self._thread.join(10)

    def _run(self):
        with self._listener, self._wake:
            while True:
                heard = {end: (pair, 1 - side) for pair in self._pairs if id(pair) not in self._deaf
                         for side, end in enumerate(pair)}
                ready, _, _ = select.select([self._listener, self._wake, *heard], [], [], 10)
                for source in ready:
                    if source is self._wake:
                        if not self._wake.recv(16):
                            for pair in self._pairs:
                                for end in pair:
                                    end.close()
                            return
                    elif source is self._listener:
                        self._accept()
                    else:
                        self._forward(source, *heard[source])

    def _accept(self):
        client, _ = self._listener.accept()
        self.accepted += 1
        try:
            self._pairs.append((client, socket.create_connection(("127.0.0.1", self._target), timeout=10)))
        except OSError:
            client.close()

    def _forward(self, source, pair, side):
        try:
            data = source.recv(65536)
            if data and pair in self._pairs:
                pair[side].sendall(data)
                return
        except OSError:
            pass
        if pair in self._pairs:
            self._pairs.remove(pair)
        for end in pair:
            end.close()
