#!/usr/bin/env python3
"""publish_kill_test.py FOLDER_OF_THE_PROGRAMS: the server dies while it publishes the streams of a cycle, one file each, and
the ingestor while it applies what was published. In the end each is applied once."""
import dataclasses
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
DRAWN = {"ledger": ("created_at", "instance"), "commit_log": ("authored_us",), "cluster_runs": ("computed_at",)}


def state_of(volume):
    """The state without what is drawn: a file goes by its stream, a track by its key."""
    state = database_state.read_volume(volume)
    files = {row["id"]: f"the file of {row['stream']}" for row in map(json.loads, state["ledger"])}
    tracks = {row["track_id"]: f"track {row['track_key']}" for row in map(json.loads, state["cluster_tracks"])}
    drawn = re.compile("|".join([*files, *tracks]) or "(?!)")
    for table, rows in state.items():
        texts = [drawn.sub(lambda found: {**files, **tracks}[found[0]], row) for row in rows]
        state[table] = sorted(json.dumps({name: value for name, value in json.loads(text).items()
                                          if name not in DRAWN.get(table, ())}, sort_keys=True) for text in texts)
    return state


def without_order(state):
    """The state but for the numbers of files, of commits and in the feed, which depend on which stream came first."""
    return {table: sorted(json.dumps({name: value for name, value in json.loads(row).items() if not name.endswith("seq")},
                                     sort_keys=True) for row in rows if "commit" not in json.loads(row).get("entity_kind", ""))
            for table, rows in state.items()}


def stream_of(path):
    """The stream of a queue file."""
    return json.loads(path.read_bytes().partition(b"\n")[0])["stream"]


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
        """The files of the streams before the one at whose publication it dies are there."""
        before = len(self.names("new"))
        ending = self.analyze(place.order("kill"))
        self.expect(ending.killed and ending.passed[-1:] == [place.point], f"no death by SIGKILL at {place}: {ending}")
        visible = self.names("new")
        wanted = before + place.hit - 1 + (place.point in VISIBLE)
        self.expect(len(visible) == wanted, f"{wanted} should be visible after the death at {place}: {visible}")
        for name in visible:
            self.faults += faults_of_file(self.path / "queue" / "new" / name)

    def die_applying(self, place):
        ending = self.apply(place.order("kill"))
        self.expect(ending.killed and ending.passed[-1:] == [place.point], f"no death by SIGKILL at {place}: {ending}")

    def publish_again(self):
        """Afterwards one file of each stream waits, or none when it is applied already, and no leftover lies about."""
        ending = self.analyze()
        self.expect(ending.code == 0, f"the next publication failed: {ending}")
        self.expect(self.names("tmp") == [], f"leftovers: {self.names('tmp')}")
        streams = [stream_of(path) for path in sorted((self.path / "queue" / "new").glob("*"))]
        self.expect(len(streams) == len(set(streams)), f"more than one file of a stream waits: {streams}")
        return streams

    def apply_to_the_end(self, wanted, view=dict):
        """Afterwards the state is the wanted one, as far as `view` shows it, and nothing is left to do."""
        ending = self.apply()
        self.expect(ending.code == 0, f"the application failed: {ending}")
        self.faults += database_state.difference(view(wanted), view(state_of(self.path)))
        with database_state.opened(database_state.database_of(self.path)) as database:
            self.faults += database_state.page_faults(database) + database_state.feed_faults(database)
        check = self.programs.check(self.path)
        self.expect(check.code == 0, f"`check` is not content: {check}")
        again = self.analyze()
        self.expect(not any(point.startswith(PUBLICATION) for point in again.passed), f"it is published again: {again}")
        self.expect(not any(database_state.queue_listing(self.path)), "the queue is not empty in the end")


@dataclasses.dataclass
class Wanted:
    """Of a cycle without a crash."""
    streams: list  # in the order of their publication
    state: dict  # once all is applied
    publishing: list  # where the server could have died
    applying: list  # where the ingestor could have died


def death_while_publishing(golden, wanted, place):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(place)
        streams = volume.publish_again()
        volume.expect(streams == wanted.streams, f"other streams wait than {wanted.streams}: {streams}")
        volume.apply_to_the_end(wanted.state)
        return volume.faults


def deaths_while_publishing_and_applying(golden, wanted, publishing, applying):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(publishing)
        if len(volume.names("new")) < len(wanted.streams):
            volume.publish_again()
        volume.die_applying(applying)
        volume.publish_again()
        volume.apply_to_the_end(wanted.state)
        return volume.faults


def death_again_while_publishing_again(golden, wanted, first, second):
    with PublishedVolume(golden) as volume:
        volume.die_publishing(first)
        volume.die_publishing(second)
        volume.publish_again()
        volume.apply_to_the_end(wanted.state)
        return volume.faults


def error_while_publishing(golden, wanted, place):
    """Only the stream at whose publication it happens has to be published again, after the others."""
    with PublishedVolume(golden) as volume:
        ending = volume.analyze(place.order("error"))
        volume.expect(ending.code == (1 if place.point in INVISIBLE else 0), f"another end than expected: {ending}")
        volume.expect(volume.names("tmp") == [], f"leftovers of a publication that failed: {volume.names('tmp')}")
        files = len(wanted.streams) - (place.point in INVISIBLE)
        volume.expect(len(volume.names("new")) == files, f"waiting, not {files}: {volume.names('new')}")
        volume.publish_again()
        volume.apply_to_the_end(wanted.state, without_order)
        return volume.faults


def run_without_a_crash(golden):
    step = golden.step("first start")
    shutil.copytree(step.before, golden.room / "ingested")
    ending = golden.programs.run(step.command(golden.programs, golden.room / "ingested"))
    assert ending.code == 0, ending
    with PublishedVolume(golden) as volume:
        published = volume.analyze()
        streams = [stream_of(path) for path in sorted((volume.path / "queue" / "new").glob("*"))]
        applied = volume.apply()
        assert published.code == 0 and applied.code == 0, f"{published}\n{applied}"
        return Wanted(streams, state_of(volume.path),
                      [place for place in places(published.passed) if place.point.startswith(PUBLICATION)],
                      [place for place in places(applied.passed) if place.point.startswith(APPLICATION)])


def cases_of(programs, room, pool):
    golden = GoldenRun(programs, room)
    wanted = run_without_a_crash(golden)
    publishing, applying = wanted.publishing, wanted.applying
    files = range(1, len(wanted.streams) + 1)
    missed = [str(Place(point, file)) for point in INVISIBLE + VISIBLE for file in files if Place(point, file) not in publishing]
    yield cases.Case("each stream's publication comes through each of its failpoints",
                     lambda: [f"not: {missed}"] if missed else [])
    yield cases.Case("a cycle publishes capability, neighbors and clusters",
                     lambda: [] if len(wanted.streams) == 3 else [f"the streams are {wanted.streams}"])

    def case(name, function, *arguments):
        return cases.Case(name, pool.submit(function, golden, wanted, *arguments).result)

    made = [case(f"the server killed at {place}: a file is whole or not there, and is applied once", death_while_publishing,
                 place) for place in publishing]
    made += [case(f"an error at {place} is told, and the next publication is applied once", error_while_publishing, place)
             for place in publishing]
    # What the ingestor finds depends on how many files the server had published, not on where in the next one it died.
    made += [case(f"the server killed at {first}, then the ingestor at {second}: applied once",
                  deaths_while_publishing_and_applying, first, second)
             for first in [Place(INVISIBLE[1]), *(Place(VISIBLE[-1], file) for file in files)] for second in applying]
    made += [case(f"the server killed at {first}, and again at {second}: applied once", death_again_while_publishing_again,
                  first, second)
             for first in publishing if first.point in INVISIBLE
             for second in publishing if second.hit <= len(wanted.streams) + 1 - first.hit]
    yield from made


if __name__ == "__main__":
    cases.main(cases_of)
