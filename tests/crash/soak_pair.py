"""The two programs on one volume, ended and started again, and what must hold of the volume after each death."""
import contextlib
import ctypes
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time

import database_state
import programs as programs_module
from soak_traffic import line, stored_packets

PATIENCE = 120  # seconds that a process may take for what takes it milliseconds
OVERLAP = 50  # lines that a new ingestor gets though they are stored
BETWEEN_LINES = 0.02  # seconds
SETTINGS = {
    "commit": {"intervalMs": 20},
    "analytics": {"intervalSeconds": 1},
    "clusters": {"intervalSeconds": 10},
    "retention": {"nodeDays": 36500, "observerDays": 36500, "packetDays": 0},
}
UNFINISHED = "SELECT job_id, state, instance FROM cluster_jobs WHERE finished_at IS NULL"

_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Pair:

    def __init__(self, programs, room):
        self._programs = programs
        self._room = room
        self.volume = room / "volume"
        self.volume.mkdir()
        (self.volume / "config.json").write_text(json.dumps(SETTINGS))
        self._ingestor = self._server = self._feeder = None
        self._port = None
        self._quiet = threading.Event()
        self._seen = 0  # the newest observation that was looked at
        self.stored = 0  # lines of the capture that are in the database
        self.fed = 0  # lines that an ingestor ever got
        self.faults = []

    # --- The ingestor --------------------------------------------------------------------------------------------------

    def start_ingestor(self):
        command = [self._programs.ingestor, "run", "--data", self.volume, "--capture", "-", "--once"]
        self._ingestor = self._start(command, "ingestor", stdin=subprocess.PIPE)
        self._feeder = threading.Thread(target=self._feed, args=(self._ingestor.stdin,), daemon=True)
        self._feeder.start()

    def _feed(self, pipe):
        """Everything that is not known to be stored at once, then one line after the other."""
        try:
            number = max(0, self.stored - OVERLAP)
            while not self._quiet.is_set() or number < self.fed:
                pipe.write(line(number))
                number += 1
                if number >= self.fed:
                    self.fed = number
                    pipe.flush()
                    time.sleep(BETWEEN_LINES)
            pipe.flush()
        except BrokenPipeError:
            pass

    def kill_ingestor(self, whole_look):
        self._kill(self._ingestor, "ingestor")
        self._feeder.join(PATIENCE)
        try:
            self._ingestor.stdin.close()
        except BrokenPipeError:
            pass
        self.look_at_the_packets()
        if whole_look:
            self._look_at_everything()

    def wait_for_the_first_packet(self):
        deadline = time.monotonic() + PATIENCE
        while not self.stored and time.monotonic() < deadline:
            with contextlib.suppress(sqlite3.OperationalError):  # it is not made yet
                self.look_at_the_packets()
            time.sleep(0.01)

    def look_at_the_packets(self):
        """Those of the capture are stored in their order, each once."""
        with database_state.opened(database_state.database_of(self.volume)) as database:
            for identity, number, from_capture in stored_packets(database, self._seen):
                self._seen = identity
                if not from_capture:
                    continue
                if number != self.stored:
                    self.faults.append(f"behind {self.stored} lines of the capture line {number} is stored")
                    return
                self.stored += 1

    def _look_at_everything(self):
        with database_state.opened(database_state.database_of(self.volume)) as database:
            self.faults += database_state.page_faults(database) + database_state.feed_faults(database)
        self.faults += self.check()

    def check(self):
        """What `check` finds, apart from files that were set aside, which are there on purpose."""
        output = self._programs.check(self.volume).output
        return [text for text in output.splitlines()
                if text.startswith("FAULT") and not text.startswith("FAULT the queue has ")]

    # --- The server ----------------------------------------------------------------------------------------------------

    def start_server(self):
        self._port = None
        self._server = self._start([self._programs.server, "run", "--data", self.volume, "--listen", "127.0.0.1:0",
                                    "--insecure-writes"], "server", stdin=subprocess.DEVNULL)

    def kill_server(self):
        self._port = None
        self._kill(self._server, "server")

    def port(self):
        """Where the server listens; None before it does, and while there is none."""
        if not self._port and self._server and self._server.poll() is None:
            found = re.search(r"listening on http://[^:\s]+:(\d+)", self._log("server").read_text())
            self._port = found and int(found[1])
        return self._port

    # --- Both ------------------------------------------------------------------------------------------------------------

    def _log(self, name):
        return self._room / f"{name}.log"

    def last_words(self):
        return "\n".join(f"--- {name}\n{self._log(name).read_text()[-3000:]}" for name in ("ingestor", "server")
                         if self._log(name).exists())

    def _start(self, command, name, **options):
        with open(self._log(name), "wb") as log:
            return subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, preexec_fn=_die_with_parent,
                                    env=programs_module.environment_with(None), **options)

    def _kill(self, process, name):
        if process.poll() is not None:
            self.faults.append(f"the {name} ended by itself with {process.returncode}")
        process.kill()
        process.wait(PATIENCE)

    def waiting(self):
        """Names of files in the queue."""
        try:
            return set(os.listdir(self.volume / "queue" / "new"))
        except FileNotFoundError:
            return set()

    def unfinished_jobs(self):
        with database_state.opened(database_state.database_of(self.volume)) as database:
            return [tuple(row) for row in database.execute(UNFINISHED)]

    def feed_head(self):
        with database_state.opened(database_state.database_of(self.volume)) as database:
            return database.execute("SELECT coalesce(max(seq), 0) FROM change_log").fetchone()[0]

    def come_to_rest(self, follower):
        """No packet comes any more; returns when all that came is stored, told, and finished."""
        self._quiet.set()
        self._feeder.join(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self.faults:
            self.look_at_the_packets()
            unrest = {"files wait": self.waiting(), "jobs are not finished": self.unfinished_jobs(),
                      "lines are not stored": self.fed - self.stored,
                      "changes are not told": self.feed_head() - follower.position}
            if not any(unrest.values()):
                return
            time.sleep(0.05)
        self.faults.append(f"it does not come to rest: {unrest}")

    def stop(self):
        """The end in order: of the server on a signal, of the ingestor when its capture ends."""
        self._server.send_signal(signal.SIGTERM)
        if (code := self._server.wait(PATIENCE)) != 0:
            self.faults.append(f"the server ended with {code}")
        self._ingestor.stdin.close()
        if (code := self._ingestor.wait(PATIENCE)) != 0:
            self.faults.append(f"the ingestor ended with {code}")

    def close(self):
        for process in (self._ingestor, self._server):
            if process and process.poll() is None:
                process.kill()
                process.wait(PATIENCE)
