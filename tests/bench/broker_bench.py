"""Messages through a broker into the database, against the same broker delivering them to mosquitto_sub."""
import json
import os
import shutil
import socket
import subprocess
import time

from material import ask, database_of
from processes import Running, wait_until
from results import median

HALF = (">=", 0.5)
# Nothing is dropped, so that both sides have the same to do.
CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes 0
queue_qos0_messages true
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type subscribe
"""
os.environ["PATH"] += ":/usr/sbin"


def measure(bench):
    for program in ("mosquitto", "mosquitto_sub"):
        if not shutil.which(program):
            raise RuntimeError(f"{program} is missing; run deploy/install-deps.sh bench")
    capture, whole = bench.material.capture("16")
    for qos, share in ((0, 1.0), (1, 0.2)):
        messages = int(min(whole, bench.broker_messages) * share)
        load = bench.quiet.wait()
        stored = _count_of(bench, capture, messages)
        pairs = [(_through_ingestor(bench, capture, messages, stored, qos), _alone(bench, capture, messages, qos))
                 for _ in range(bench.repeat)]
        rate, ceiling = (median([messages / pair[i] for pair in pairs]) for i in (0, 1))
        bench.report.add(f"broker QoS {qos}", "messages published, to committed", rate, "/s", ceiling=ceiling,
                         target=HALF, load=load, note=f"{messages} messages; ceiling: mosquitto to mosquitto_sub" + (
                             "; each waits for its own commit, for Paho acknowledges when its callback returns" * qos))


def _count_of(bench, capture, messages):
    """How many observations so many messages make."""
    with bench.material.scratch() as folder:
        part, data = folder / "part.jsonl", folder / "data"
        with open(capture, "rb") as lines, open(part, "wb") as copy:
            for _ in range(messages):
                copy.write(lines.readline())
        data.mkdir()
        bench.material.import_into(data, part)
        return ask(data, "SELECT count(*) FROM observations")


def _free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class _Broker(Running):
    def __init__(self, folder):
        self.number = _free_port()
        folder.chmod(0o755)  # started by root, the broker becomes a user of its own
        configuration = folder / "mosquitto.conf"
        configuration.write_text(CONFIGURATION.format(port=self.number))
        super().__init__(["mosquitto", "-c", configuration], folder / "mosquitto.log")
        wait_until("the broker listens", self._listens, 30)

    def _listens(self):
        with socket.socket() as opened:
            return opened.connect_ex(("127.0.0.1", self.number)) == 0

    def wait_for_subscription(self):
        self.logged(r"meshcore/#")


class _Flow:
    """The publisher, with everything encoded and waiting for the word."""

    def __init__(self, bench, capture, messages, qos, port):
        self._process = subprocess.Popen(
            [bench.programs["capture_publisher"], "--capture", capture, "--port", str(port), "--qos", str(qos), "--limit",
             str(messages)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the publisher could not read the capture")

    def start(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return time.monotonic()

    def finish(self, messages):
        output, _ = self._process.communicate(timeout=600)
        if json.loads(output)["messages"] != messages:
            raise RuntimeError(f"not all messages were published: {output}")


def _alone(bench, capture, messages, qos):
    """Seconds from the first message published to the last one received."""
    with bench.material.scratch() as folder, _Broker(folder) as broker:
        flow = _Flow(bench, capture, messages, qos, broker.number)
        with open(os.devnull, "wb") as nowhere:
            receiver = subprocess.Popen(["mosquitto_sub", "-p", str(broker.number), "-t", "meshcore/#", "-q", str(qos),
                                         "-C", str(messages)], stdout=nowhere)
        broker.wait_for_subscription()
        begin = flow.start()
        if receiver.wait(600) != 0:
            raise RuntimeError(f"mosquitto_sub ended with {receiver.returncode}")
        seconds = time.monotonic() - begin
        flow.finish(messages)
    return seconds


def _through_ingestor(bench, capture, messages, stored, qos):
    """Seconds from the first message published until all their observations can be read from the database."""
    with bench.material.scratch() as folder, _Broker(folder) as broker:
        data = folder / "data"
        data.mkdir()
        flow = _Flow(bench, capture, messages, qos, broker.number)
        with Running([bench.programs["heliograph-ingestor"], "run", "--data", data, "--mqtt",
                      f"mqtt://127.0.0.1:{broker.number}"], folder / "ingestor.log"):
            broker.wait_for_subscription()
            wait_until("the database", database_of(data).exists)
            begin = flow.start()
            newest = "SELECT coalesce(max(id), 0) FROM observations"
            wait_until(f"{stored} observations", lambda: ask(data, newest) >= stored, 300, pause=0.02)
            seconds = time.monotonic() - begin
            flow.finish(messages)
    return seconds
