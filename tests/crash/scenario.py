"""A life of a volume in steps, run once without a crash, so that every crash has something to be compared with."""
import dataclasses
import datetime
import json
import pathlib
import shutil
import sqlite3

import database_state
import mesh_packets
import queue_publisher
from queue_publisher import QueueFile

UTC = datetime.timezone.utc
FIRST_DAY = datetime.datetime(2025, 1, 1, tzinfo=UTC)
BETWEEN = datetime.datetime(2025, 2, 1, tzinfo=UTC)
SECOND_DAY = datetime.datetime(2025, 3, 1, tzinfo=UTC)
REPEATERS = 8
PRUNED = 7  # the repeater that a request deletes
MORE_LINES_THAN_A_BATCH = 560
BRANCH = 2  # the number of the first branch beside main
PROVEN_AT = int(FIRST_DAY.timestamp() * 1000)


def confirmed(number, **more):
    return {"public_key": mesh_packets.public_key(number), "status": "confirmed", "evidence": "advert",
            "max_hash_size": 2, "adopted": True, "probability": 1.0, "advert_proofs": 3, "last_proof_at": PROVEN_AT, **more}


def suspected(number, probability, **more):
    return {"public_key": mesh_packets.public_key(number), "status": "suspected", "evidence": "path",
            "max_hash_size": 2, "probability": probability, "path_hints": 2, "last_proof_at": PROVEN_AT, **more}


def first_capture():
    capture = mesh_packets.Capture(FIRST_DAY)
    capture.tell_status(0)
    for number in range(REPEATERS):
        capture.hear(mesh_packets.advert(number), 0, 1)
    capture.hear(mesh_packets.forged_advert(0), 1)
    for number in range(MORE_LINES_THAN_A_BATCH // 2):
        capture.hear(mesh_packets.text(number), number % 3, (number + 1) % 3)
    capture.lines.append(capture.lines[-1])
    return capture


def second_capture():
    capture = mesh_packets.Capture(SECOND_DAY)
    capture.hear(mesh_packets.advert(REPEATERS), 0, 2)
    for number in range(1000, 1040):
        capture.hear(mesh_packets.text(number), number % 3)
    return capture


def injected_line():
    return mesh_packets.reception(mesh_packets.text(5000), 2, FIRST_DAY + datetime.timedelta(hours=1)).encode() + b"\n"


class Queue:
    """Files for one volume, numbered through."""

    def __init__(self, volume, first_number=1):
        self.volume = volume
        self._number = first_number - 1
        with database_state.opened(database_state.database_of(volume)) as connection:
            self.epoch = connection.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()[0]

    def watermark(self):
        with database_state.opened(database_state.database_of(self.volume)) as connection:
            return connection.execute("SELECT coalesce(max(id), 0) FROM observations").fetchone()[0]

    def head(self):
        with database_state.opened(database_state.database_of(self.volume)) as connection:
            return connection.execute("SELECT head_seq FROM branch WHERE branch_id=1").fetchone()[0]

    def file(self, kind, payload, **more):
        self._number += 1
        return QueueFile(kind, more.pop("epoch", self.epoch), self._number, payload, **more)

    def snapshot(self, entries, **more):
        return self.file("multibyte-snapshot", queue_publisher.snapshot(entries), **more)

    def cluster_run(self, clusters, unclustered, job=None, **more):
        mark = self.watermark()
        named = [[mesh_packets.public_key(node) for node in cluster] for cluster in clusters]
        alone = [mesh_packets.public_key(node) for node in unclustered]
        return self.file("cluster-snapshot", queue_publisher.cluster_run(named, alone, mark, job), watermark=mark,
                         stream="clusters/mesh", **more)

    def override(self, base, **request):
        return self.file("override", json.dumps({"reason": "of a test", **request}).encode(), base=base,
                         stream="overrides", actor="a person")


FIRST_STATE = [confirmed(0), confirmed(2), suspected(1, 0.4), suspected(3, 0.2), suspected(PRUNED, 0.3)]
SECOND_STATE = [confirmed(0), confirmed(2), confirmed(1), suspected(3, 0.7), suspected(PRUNED, 0.3), suspected(5, 0.5)]
THIRD_STATE = SECOND_STATE[:-1] + [confirmed(5), suspected(6, 0.9)]


def first_snapshot(queue):
    return [queue.snapshot(FIRST_STATE, watermark=queue.watermark() - 10)]


def a_newer_state_behind_an_older(queue):
    mark = queue.watermark()
    return [queue.snapshot([suspected(4, 0.1)], watermark=mark - 8), queue.snapshot(SECOND_STATE, watermark=mark - 5)]


def every_outcome(queue):
    mark = queue.watermark()
    whole = queue_publisher.snapshot(THIRD_STATE)
    prune = json.dumps({"public_keys": [mesh_packets.public_key(PRUNED), mesh_packets.public_key(99)],
                        "reason": "asked for"}).encode()
    return [
        queue.snapshot(SECOND_STATE, watermark=mark - 5),
        queue.snapshot(THIRD_STATE, watermark=mark - 7),
        queue.snapshot(THIRD_STATE, watermark=mark, epoch="0" * 32),
        queue.snapshot(THIRD_STATE, watermark=mark + 1_000_000),
        queue.file("multibyte-snapshot", whole, watermark=mark, cut=20),
        queue.file("multibyte-snapshot", whole, watermark=mark, digest="0" * 64),
        queue.file("multibyte-snapshot", b'{"nodes":7}', watermark=mark, stream="another"),
        queue.file("packet-inject", injected_line(), stream="inject", actor="a person"),
        queue.file("prune-request", prune, stream="prune", actor="a person"),
        queue.file("multibyte-snapshot", whole, watermark=mark, unsafe_name="not a queue file"),
    ]


def neighbors_that_change(queue):
    mark, keys = queue.watermark(), sorted(map(mesh_packets.public_key, range(4)))
    states = [[(0, 1, 1.0, 0.5, PROVEN_AT)],
              [(0, 1, 2.0, 0.5, PROVEN_AT), (1, 2, 1.0, 0.0, PROVEN_AT)]]
    return [queue.file("neighbor-snapshot", queue_publisher.neighbors(keys, edges), watermark=mark - 2 + number,
                       stream="neighbors") for number, edges in enumerate(states)]


def other_neighbors(queue):
    """One edge changes, one goes, one is new."""
    keys = sorted(map(mesh_packets.public_key, range(4)))
    edges = [(0, 1, 3.0, 0.5, PROVEN_AT), (2, 3, 1.0, 1.0, PROVEN_AT)]
    return [queue.file("neighbor-snapshot", queue_publisher.neighbors(keys, edges), watermark=queue.watermark(),
                       stream="neighbors")]


def first_cluster_run(queue):
    return [queue.cluster_run([[0, 1, 2], [3, 4, 5]], [6, 7])]


def clusters_of_every_kind(queue):
    base, job = queue.head(), queue_publisher.ulid(FIRST_DAY, 4711)
    west = "around-" + mesh_packets.public_key(0)[:6]
    return [
        queue.file("cluster-job", queue_publisher.cluster_job(job, "running", PROVEN_AT), stream="cluster-jobs"),
        queue.override(base, action="exclude", cluster=west, members=[mesh_packets.public_key(2)]),
        queue.cluster_run([[0, 1, 2, 3, 4, 5]], [6, 7], job),
        queue.override(base, action="rename", cluster=west, title="Too late"),
        queue.cluster_run([[0, 1, 2], [3, 4, 5, 6]], [7]),
        queue.cluster_run([[0, 1, 2], [3, 4, 5, 6]], [7]),
        queue.cluster_run([[99], [3, 4, 5, 6]], [7]),
    ]


def request(queue, kind, **members):
    return queue.file(kind, json.dumps(members).encode(), stream=kind, actor="a person")


def a_branch_and_a_pin(queue):
    return [request(queue, "branch-request", action="create", name="what-if"),
            request(queue, "pin", action="set", name="before", commit="seq:2")]


def a_run_on_the_branch(queue):
    return [queue.snapshot([confirmed(4), confirmed(6)], watermark=queue.watermark(), branch=BRANCH),
            queue.cluster_run([[0, 1, 2], [3, 4], [5, 6]], [7], branch=BRANCH),
            request(queue, "branch-request", action="create", name="what-if")]


def a_merge(queue):
    return [request(queue, "branch-request", action="merge", name="what-if"),
            request(queue, "pin", action="remove", name="before")]


def the_end_of_the_branch(queue):
    return [request(queue, "revert", commit=f"seq:{queue.head()}"),
            request(queue, "branch-request", action="delete", name="what-if")]


def last_state(queue):
    return [queue.snapshot(THIRD_STATE[:-3] + THIRD_STATE[-2:], watermark=queue.watermark())]


def nothing(_queue):
    return []


def grow_an_old_feed(volume):
    """A row of long ago at the end of the feed, so that everything up to it is due to be pruned."""
    connection = sqlite3.connect(database_state.database_of(volume))
    with connection:
        connection.execute("INSERT INTO change_log(branch_id, kind, entity_kind, entity_id, payload, logged_at)"
                           " VALUES (1, 'branch_created', 'branch', 'of-a-test', '{}', 1000)")
    connection.close()


@dataclasses.dataclass
class Step:
    """One run of the ingestor, and what was put on the volume before it."""
    name: str
    capture: mesh_packets.Capture | None = None
    publish: callable = nothing
    prepare: callable = None
    settings: str = "config.json"

    # Of the run without a crash:
    before: pathlib.Path = None  # the volume as this step met it
    files: list = dataclasses.field(default_factory=list)
    passed: list = dataclasses.field(default_factory=list)
    state: dict = None
    queue: dict = None
    modes: dict = None
    state_before: dict = None

    def command(self, programs, volume):
        arguments = ["--data", volume, "--config", volume / self.settings]
        if not self.capture:
            return [programs.ingestor, "apply", *arguments]
        return [programs.ingestor, "run", *arguments, "--once", "--capture", volume / f"{self.name}.jsonl"]


def life():
    return [
        Step("first start", capture=first_capture()),
        Step("first snapshot", publish=first_snapshot),
        Step("newer state behind an older", publish=a_newer_state_behind_an_older),
        Step("neighbors", publish=neighbors_that_change),
        Step("other neighbors", publish=other_neighbors),
        Step("first cluster run", publish=first_cluster_run),
        Step("clusters of every kind", publish=clusters_of_every_kind),
        Step("queue of every outcome", publish=every_outcome),
        Step("branch and pin", publish=a_branch_and_a_pin),
        Step("run on a branch", publish=a_run_on_the_branch),
        Step("merge", publish=a_merge),
        Step("revert and the end of a branch", publish=the_end_of_the_branch),
        Step("packets behind a waiting snapshot", capture=second_capture(), publish=last_state),
        Step("housekeeping", prepare=grow_an_old_feed, settings="housekeeping.json"),
    ]


def write_settings(volume):
    days_to_between = (datetime.datetime.now(UTC) - BETWEEN).days
    # A commit for each batch: the number of commits must not depend on the speed of the machine.
    every_batch = {"commit": {"size": 1}, "retention": {"nodeDays": 36500, "observerDays": 36500}}
    keep = {"nodeDays": 30, "observerDays": 30, "metricsDays": 30, "packetDays": days_to_between}
    (volume / "config.json").write_text(json.dumps(every_batch))
    (volume / "housekeeping.json").write_text(
        json.dumps({**every_batch, "retention": keep, "capability": {"ageOutDays": 30}}))


class GoldenRun:
    """The life without a crash. Each step keeps the volume that it met, so that a crash can be tried from there."""

    def __init__(self, programs, room):
        self.programs = programs
        self.room = pathlib.Path(room)
        self.steps = life()
        self.history = {}  # every row that the feed ever had, by number
        volume = self.room / "golden"
        volume.mkdir()
        write_settings(volume)
        queue = None
        for number, step in enumerate(self.steps):
            if number:
                queue = queue or Queue(volume)
            self._take(step, volume, queue, self.room / f"before-{number}")
        with database_state.opened(database_state.database_of(volume)) as database:
            self.schema_version = database_state.schema_version(database)

    def _take(self, step, volume, queue, keep):
        if step.prepare:
            step.prepare(volume)
        if step.capture:
            step.capture.write(volume / f"{step.name}.jsonl")
        if queue:
            step.files = step.publish(queue)
            for file in step.files:
                queue_publisher.publish(volume, file)
            step.state_before = database_state.read_volume(volume)
        shutil.copytree(volume, keep)
        step.before = keep
        ending = self.programs.run(step.command(self.programs, volume))
        assert ending.code == 0, f"the run without a crash failed in '{step.name}':\n{ending}"
        step.passed = ending.passed
        step.state = database_state.read_volume(volume)
        step.queue = database_state.queue_listing(volume)
        step.modes = database_state.folder_modes(volume)
        for row in step.state["change_log"] + (step.state_before or {}).get("change_log", []):
            self.history[json.loads(row)["seq"]] = row

    def queue_for(self, volume):
        """For files beyond those of the life."""
        return Queue(volume, first_number=1000)

    def step(self, name):
        return next(step for step in self.steps if step.name == name)
