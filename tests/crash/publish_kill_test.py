#!/usr/bin/env python3
"""publish_kill_test.py FOLDER_OF_THE_PROGRAMS: the server dies while it publishes, and the ingestor while it applies what
was published. In the end it is applied once."""
import hashlib
import json
import pathlib
import re
import shutil
import tempfile

import cases
import database_state
from crash_case import APPLICATION, Place, places
from scenario import GoldenRun

PUBLICATION = "publish_"
# The file is not yet visible at the first four, and whole at the others.
INVISIBLE = ("publish_before_temporary", "publish_half_written", "publish_before_file_sync", "publish_after_file_sync")
VISIBLE = ("publish_after_rename", "publish_after_folder_sync")
NAME = re.compile(r"^(?P<number>\d{20})-(?P<id>[0-9A-HJKMNP-TV-Z]{26})\.(?P<kind>[a-z-]+)$")
# What another run of the server says otherwise.
DRAWN = {"ledger": ("id", "created_at", "instance"), "commit_log": ("ledger_id", "authored_us")}


def state_of(volume):
    state = database_state.read_volume(volume)
    for table, columns in DRAWN.items():
        rows = [json.loads(row) for row in state[table]]
        state[table] = sorted(json.dumps({name: row[name] for name in row if name not in columns}, sort_keys=True)
                              for row in rows)
    return state


def faults_of_file(path):
    """What an independent reader finds wrong with a queue file."""
    name = NAME.match(path.name)
    header_line, _, payload = path.read_bytes().partition(b"\n")
    header = json.loads(header_line)
    checks = {
        "the name and the header disagree": name and (int(name["number"]), name["id"], name["kind"]) ==
                                            (header["producer_seq"], header["id"], header["kind"]),
        "the payload is not whole": len(payload) == header["payload_bytes"],
        "the digest is another": hashlib.sha256(payload).hexdigest() == header["payload_sha256"],
    }
    return [f"{path.name}: {text}" for text, holds in checks.items() if not holds]


class PublishedVolume:
    """A volume with packets, of which no state was published yet."""

    def __init__(self, golden):
        self.programs = golden.programs
        self._room = tempfile.TemporaryDirectory(dir=golden.room, prefix="publish-")
        self.path = pathlib.Path(self._room.name) / "volume"
        self.faults = []
        shutil.copytree(golden.room / "ingested", self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._room.cleanup()

    def expect(self, holds, text):
        if not holds:
            self.faults.append(text)

    def names(self, folder):
        return [path.name for path in sorted((self.path / "queue" / folder).glob("*"))]

    def analyze(self, failpoint=None):
        return self.programs.run([self.programs.server, "analyze", "--data", self.path], failpoint)

    def apply(self, failpoint=None):
        return self.programs.run([self.programs.ingestor, "apply", "--data", self.path], failpoint)

    def die_publishing(self, place):
        ending = self.analyze(place.order("kill"))
        self.expect(ending.killed and ending.passed[-1:] == [place.point], f"no death by SIGKILL at {place}: {ending}")
        visible = self.names("new")
        self.expect(len(visible) == (place.point in VISIBLE), f"visible after the death at {place}: {visible}")
        for name in visible:
            self.faults += faults_of_file(self.path / "queue" / "new" / name)

    def die_applying(self, place):
        ending = self.apply(place.order("kill"))
        self.expect(ending.killed and ending.passed[-1:] == [place.point], f"no death by SIGKILL at {place}: {ending}")

    def publish_again(self):
        """Afterwards just one file waits, or none when it is applied already, and no leftover lies about."""
        ending = self.analyze()
        self.expect(ending.code == 0, f"the next publication failed: {ending}")
        self.expect(self.names("tmp") == [], f"leftovers: {self.names('tmp')}")
        self.expect(len(self.names("new")) <= 1, f"more than one file waits: {self.names('new')}")
        return ending

    def apply_to_the_end(self, wanted):
        ending = self.apply()
        self.expect(ending.code == 0, f"the application failed: {ending}")
        self.faults += database_state.difference(wanted, state_of(self.path))
        with database_state.opened(database_state.database_of(self.path)) as database:
            self.faults += database_state.page_faults(database) + database_state.feed_faults(database)
        check = self.programs.check(self.path)
        self.expect(check.code == 0, f"`check` is not content: {check}")
        again = self.analyze()
        self.expect(not any(point.startswith(PUBLICATION) for point in again.passed), f"it is published again: {again}")
        self.expect(not any(database_state.queue_listing(self.path)), "the queue is not empty in the end")


def death_while_publishing(golden, wanted, place):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(place)
        volume.publish_again()
        volume.expect(len(volume.names("new")) == 1, f"not one file waits: {volume.names('new')}")
        volume.apply_to_the_end(wanted)
        return volume.faults


def deaths_while_publishing_and_applying(golden, wanted, publishing, applying):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(publishing)
        if not volume.names("new"):
            volume.publish_again()
        volume.die_applying(applying)
        volume.publish_again()
        volume.apply_to_the_end(wanted)
        return volume.faults


def death_again_while_publishing_again(golden, wanted, first, second):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(first)
        volume.die_publishing(second)
        volume.publish_again()
        volume.apply_to_the_end(wanted)
        return volume.faults


def error_while_publishing(golden, wanted, place):
    with PublishedVolume(golden) as volume:
        ending = volume.analyze(place.order("error"))
        volume.expect(ending.code == (1 if place.point in INVISIBLE else 0), f"another end than expected: {ending}")
        volume.expect(volume.names("tmp") == [], f"leftovers of a publication that failed: {volume.names('tmp')}")
        volume.expect(len(volume.names("new")) == (place.point in VISIBLE), f"waiting: {volume.names('new')}")
        volume.publish_again()
        volume.apply_to_the_end(wanted)
        return volume.faults


def run_without_a_crash(golden):
    """Returns the state in the end, and where the two programs could have died on the way."""
    step = golden.step("first start")
    shutil.copytree(step.before, golden.room / "ingested")
    ending = golden.programs.run(step.command(golden.programs, golden.room / "ingested"))
    assert ending.code == 0, ending
    with PublishedVolume(golden) as volume:
        published, applied = volume.analyze(), volume.apply()
        assert published.code == 0 and applied.code == 0, f"{published}\n{applied}"
        return (state_of(volume.path), [place for place in places(published.passed) if place.point.startswith(PUBLICATION)],
                [place for place in places(applied.passed) if place.point.startswith(APPLICATION)])


def cases_of(programs, room, pool):
    golden = GoldenRun(programs, room)
    wanted, publishing, applying = run_without_a_crash(golden)
    missed = [point for point in INVISIBLE + VISIBLE if Place(point) not in publishing]
    yield cases.Case("a publication comes through each of its failpoints", lambda: [f"not: {missed}"] if missed else [])

    def case(name, function, *arguments):
        return cases.Case(name, pool.submit(function, golden, wanted, *arguments).result)

    made = [case(f"the server killed at {place}: a file is whole or not there, and is applied once", death_while_publishing,
                 place) for place in publishing]
    made += [case(f"an error at {place} is told, and the next publication is applied once", error_while_publishing, place)
             for place in publishing]
    made += [case(f"the server killed at {first}, then the ingestor at {second}: applied once",
                  deaths_while_publishing_and_applying, first, second) for first in publishing for second in applying]
    made += [case(f"the server killed at {first}, and again at {second}: applied once", death_again_while_publishing_again,
                  first, second) for first in publishing if first.point in INVISIBLE for second in publishing]
    yield from made


if __name__ == "__main__":
    cases.main(cases_of)
