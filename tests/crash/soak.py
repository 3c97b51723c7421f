#!/usr/bin/env python3
"""soak.py FOLDER_OF_THE_PROGRAMS [--kills N] [--seed N]: the ingestor under load, killed with -9 again and again.

Packets flow through its standard input, states and packets are published into its queue, and at random moments it dies. Each
new process gets the capture from its start, as somebody would replay it. At the end nothing may be lost or doubled.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import database_state
import mesh_packets
import programs as programs_module
import queue_publisher
from scenario import Queue, UTC, confirmed, suspected

START = datetime.datetime(2025, 1, 1, tzinfo=UTC)
REPEATERS = 6
LINES_PER_LIFE = 60  # new ones; the lines of all earlier lives come first
LONGEST_LIFE = 0.5  # seconds
PATIENCE = 60  # seconds that a process may take for what takes it milliseconds


class Soak:

    def __init__(self, programs, volume, seed, kills):
        self.programs = programs
        self.volume = volume
        self.random = random.Random(seed)
        self.kills = kills
        self.files = []
        self.injected = 0
        self.deaths_at_work = 0
        self.capture = mesh_packets.Capture(START)
        for number in range(REPEATERS):
            self.capture.hear(mesh_packets.advert(number), 0)
        for number in range(LINES_PER_LIFE * kills):
            self.capture.hear(mesh_packets.text(number), number % 5)
        self.queue = None

    # --- One life -----------------------------------------------------------------------------------------------------

    def command(self):
        return [self.programs.ingestor, "run", "--data", self.volume, "--capture", "-", "--once"]

    def start(self):
        with open(self.volume / "log", "ab") as log:
            return subprocess.Popen(list(map(str, self.command())), stdin=subprocess.PIPE, stdout=log, stderr=log,
                                    env=programs_module.environment_with(None))

    def feed(self, process, lines, until_dead):
        """Writes the lines; the last ones slowly, so that they are on their way when the process dies."""
        try:
            settled = "".join(line + "\n" for line in lines[:-LINES_PER_LIFE]).encode()
            process.stdin.write(settled)
            for line in lines[-LINES_PER_LIFE:]:
                process.stdin.write(line.encode() + b"\n")
                process.stdin.flush()
                if until_dead:
                    time.sleep(LONGEST_LIFE / LINES_PER_LIFE / 2)
            if not until_dead:
                process.stdin.close()
        except BrokenPipeError:
            pass

    def live_and_die(self, life):
        lines = self.capture.lines[:REPEATERS + LINES_PER_LIFE * (life + 1)]
        process = self.start()
        feeder = threading.Thread(target=self.feed, args=(process, lines, True))
        feeder.start()
        death = time.monotonic() + self.random.uniform(0.005, LONGEST_LIFE)
        while time.monotonic() < death:
            self.publish_something()
            time.sleep(min(self.random.uniform(0, 0.05), max(0, death - time.monotonic())))
        if process.poll() is not None:
            raise AssertionError(f"the ingestor ended by itself with {process.returncode}:\n{self.log()}")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        feeder.join(PATIENCE)
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
        self.deaths_at_work += any((self.volume / "queue" / "new").glob("*"))

    def live_to_the_end(self):
        process = self.start()
        self.feed(process, self.capture.lines, False)
        process.wait(PATIENCE)
        assert process.returncode == 0, self.log()

    def log(self):
        return (self.volume / "log").read_text()[-4000:]

    # --- Publications ---------------------------------------------------------------------------------------------------

    def publish_something(self):
        if self.queue is None:
            return
        kind = self.random.choice(("state", "state", "state", "packet", "torn", "nothing"))
        if kind == "nothing":
            return
        if kind == "packet":
            self.injected += 1
            line = mesh_packets.reception(mesh_packets.text(10_000_000 + self.injected), 1, START)
            file = self.queue.file("packet-inject", line.encode() + b"\n", stream="inject")
        else:
            entries = [confirmed(0)] + [suspected(number, round(self.random.random(), 2)) for number in range(1, REPEATERS)]
            cut = self.random.randrange(1, 2000) if kind == "torn" else 0
            file = self.queue.snapshot(entries, watermark=self.queue.watermark(), cut=cut)
        queue_publisher.publish(self.volume, file)
        self.files.append(file)

    def run(self):
        first = self.programs.run([self.programs.ingestor, "migrate", "--data", self.volume])
        assert first.code == 0, first
        for folder in ("tmp", "new", "failed"):
            os.makedirs(self.volume / "queue" / folder, exist_ok=True)
        self.queue = Queue(self.volume)
        for life in range(self.kills):
            self.live_and_die(life)
            with database_state.opened(database_state.database_of(self.volume)) as database:
                if faults := database_state.feed_faults(database):
                    return [f"after death {life + 1}: {fault}" for fault in faults]
        self.live_to_the_end()
        return self.faults()

    # --- The end ----------------------------------------------------------------------------------------------------------

    def faults(self):
        faults = []
        with database_state.opened(database_state.database_of(self.volume)) as database:
            faults += database_state.page_faults(database) + database_state.feed_faults(database)
            faults += self._lost_or_doubled_packets(database)
            faults += self._lost_or_doubled_files(database)
        left = [name for name in database_state.queue_listing(self.volume) if name.startswith("new/")]
        if left:
            faults.append(f"{len(left)} files are left in the queue: {left[:3]}")
        check = self.programs.check(self.volume)
        faults += [line for line in check.output.splitlines()
                   if line.startswith("FAULT") and not line.startswith("FAULT the queue has ")]
        return faults

    def _lost_or_doubled_packets(self, database):
        heard = collections.Counter()
        for line in self.capture.lines:
            message = json.loads(line)["payload"]
            heard[self._payload_of(bytes.fromhex(message["raw"])), message["origin_id"]] += 1
        for number in range(1, self.injected + 1):
            heard[self._payload_of(mesh_packets.text(10_000_000 + number)), mesh_packets.observer(1)] += 1
        stored = collections.Counter(
            (bytes(row[0]), row[1]) for row in database.execute(
                "SELECT t.payload, o.id FROM observations AS s JOIN transmissions AS t ON t.id=s.transmission_id"
                " JOIN observers AS o ON o.observer_key=s.observer_key"))
        stored = collections.Counter({(payload, name.upper()): n for (payload, name), n in stored.items()})
        return [f"{sum((heard - stored).values())} observations are lost"] * bool(heard - stored) + \
            [f"{sum((stored - heard).values())} observations are doubled or foreign"] * bool(stored - heard)

    @staticmethod
    def _payload_of(frame):
        hops, size = frame[1] & 63, (frame[1] >> 6) + 1
        return frame[2 + hops * size:]

    def _lost_or_doubled_files(self, database):
        outcomes = {row["id"]: row["outcome"] for row in database.execute("SELECT id, outcome FROM ledger")}
        wanted = {file.ledger_id for file in self.files}
        faults = [f"{len(wanted - outcomes.keys())} files are not in the ledger"] * bool(wanted - outcomes.keys())
        faults += [f"{len(outcomes.keys() - wanted)} rows of the ledger are of no file"] * bool(outcomes.keys() - wanted)
        for file in self.files:
            allowed = {"packet-inject": ("done",)}.get(file.kind, ("applied", "noop", "superseded")) \
                if file.readable else ("rejected",)
            if outcomes.get(file.ledger_id) not in allowed:
                faults.append(f"{file.name} ended as {outcomes.get(file.ledger_id)}")
        commits = collections.Counter(row[0] for row in database.execute(
            "SELECT ledger_id FROM commit_log WHERE ledger_id IS NOT NULL"))
        applied = {identity for identity, outcome in outcomes.items() if outcome == "applied"}
        if commits != collections.Counter(applied):
            faults.append("the commits are not those of the applied files, one each")
        self.outcomes = collections.Counter(outcomes.values())
        return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    arguments = parser.parse_args()
    print(f"{arguments.kills} kills, seed {arguments.seed}", flush=True)
    begin = time.monotonic()
    with programs_module.scratch("soak") as room:
        soak = Soak(programs_module.Programs(arguments.programs), pathlib.Path(room), arguments.seed, arguments.kills)
        faults = soak.run()
    print(f"{len(soak.capture.lines)} lines and {soak.injected} injected packets; {len(soak.files)} files: "
          f"{dict(getattr(soak, 'outcomes', {}))}; {soak.deaths_at_work} deaths left files in the queue; "
          f"{time.monotonic() - begin:.0f} s")
    for fault in faults:
        print("FAULT", fault)
    print("FAILED" if faults else "nothing is lost, nothing is doubled")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
