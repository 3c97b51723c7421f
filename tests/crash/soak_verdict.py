"""Whether anything was lost, doubled, reordered or left half done in a soak."""
import collections

import database_state
from soak_traffic import FIRST_INJECTED, stored_packets

# What may become of a file that this test published. A state can be overtaken by a newer one while it waits.
ALLOWED = {
    "packet-inject": {"done"},
    "multibyte-snapshot": {"applied", "noop", "superseded"},
    "neighbor-snapshot": {"done", "noop", "superseded"},
    "cluster-snapshot": {"applied", "noop"},
}


def faults_in_the_end(soak):
    with database_state.opened(database_state.database_of(soak.pair.volume)) as database:
        faults = database_state.page_faults(database) + database_state.feed_faults(database)
        for rule in (faults_of_packets, faults_of_files, faults_of_order, faults_of_jobs, faults_of_feed):
            faults += rule(soak, database)
        faults += [f"run {run} is left staged" for run in database_state.staged_runs(database)]
    if soak.publications.snapshots < soak.snapshots:
        faults.append(f"only {soak.publications.snapshots} of {soak.snapshots} snapshots were published")
    left = [name for name in database_state.queue_listing(soak.pair.volume) if not name.startswith("failed/")]
    faults += [f"{name} is left in the queue" for name in left]
    return faults + soak.pair.check()


def faults_of_packets(soak, database):
    stored = collections.Counter((number, capture) for _, number, capture in stored_packets(database))
    injected = {FIRST_INJECTED + number for number in range(1, soak.publications.injected + 1)}
    wanted = {(number, True) for number in range(soak.pair.fed)}
    wanted |= {(number, False) for number in injected | soak.asker.accepted_packets}
    allowed = wanted | {(number, False) for number in soak.asker.tried_packets}
    return [f"packet {packet} is lost" for packet in sorted(wanted - stored.keys())] + \
        [f"packet {packet} is foreign" for packet in sorted(stored.keys() - allowed)] + \
        [f"packet {packet} is stored {times} times" for packet, times in stored.items() if times > 1]


def faults_of_files(soak, database):
    outcomes = dict(tuple(row) for row in database.execute("SELECT id, outcome FROM ledger"))
    faults = []
    for file in soak.publications.files:
        allowed = ALLOWED[file.kind] if file.readable else {"rejected"}
        if outcomes.get(file.ledger_id) not in allowed:
            faults.append(f"{file.name} ended as {outcomes.get(file.ledger_id)}")
    faults += [f"request {identity} was accepted, and the ledger does not know it"
               for identity in soak.asker.accepted if identity not in outcomes]
    torn = {file.name for file in soak.publications.files if not file.readable}
    faults += [f"{name} was in the queue, and the ledger does not know it" for name in sorted(soak.seen - torn)
               if name[21:47] not in outcomes]
    commits = collections.Counter(row[0] for row in database.execute(
        "SELECT ledger_id FROM commit_log WHERE ledger_id IS NOT NULL"))
    applied = {identity for identity, outcome in outcomes.items() if outcome == "applied"}
    if commits != collections.Counter(applied):
        faults.append("the commits are not those of the applied files, one each")
    refused = database.execute("SELECT id, kind, outcome, reason FROM ledger WHERE outcome IN ('rejected', 'wrong_epoch',"
                               " 'stale') AND kind IN ('multibyte-snapshot', 'neighbor-snapshot', 'cluster-snapshot')")
    return faults + [f"a snapshot is refused: {tuple(row)}" for row in refused]


def faults_of_order(_soak, database):
    """Files are numbered through by whoever publishes, and commits come in this order."""
    numbers = [row[0] for row in database.execute(
        "SELECT l.producer_seq FROM commit_log AS c JOIN ledger AS l ON l.id=c.ledger_id ORDER BY c.commit_seq")]
    return [f"file {after} is applied after file {before}" for before, after in zip(numbers, numbers[1:]) if after <= before]


def faults_of_jobs(soak, database):
    known = {row[0] for row in database.execute("SELECT job_id FROM cluster_jobs")}
    return [f"job {job} was accepted and is not known" for job in soak.asker.jobs if job not in known] + \
        [f"job {job} is left {state}" for job, state, _ in soak.pair.unfinished_jobs()]


def faults_of_feed(soak, database):
    """What the consumer was told is what the log says, up to where it came."""
    told = soak.follower.changes
    logged = [tuple(row) for row in database.execute(
        "SELECT seq, kind, entity_kind, entity_id FROM change_log WHERE seq <= ? ORDER BY seq", [soak.follower.position])]
    if not told:
        return ["the consumer was told nothing"]
    return [] if told[-len(logged):] == logged else ["the consumer was told something else than the log says"]


def figures(soak):
    with database_state.opened(database_state.database_of(soak.pair.volume)) as database:
        rows = database.execute("SELECT coalesce(kind, 'unreadable'), outcome, count(*) FROM ledger GROUP BY 1, 2").fetchall()
        jobs = dict(tuple(row) for row in database.execute("SELECT state, count(*) FROM cluster_jobs GROUP BY 1"))
        recovered = dict(tuple(row) for row in database.execute("SELECT action, count(*) FROM recovery_audit GROUP BY 1"))
    by_kind = collections.defaultdict(dict)
    for kind, outcome, count in rows:
        by_kind[kind][outcome] = count
    yield f"deaths: {dict(soak.deaths)}, {soak.at_work} of the ingestor's with files in the queue"
    yield f"{soak.publications.snapshots} snapshots of this test among {sum(row[2] for row in rows)} files:"
    for kind, outcomes in sorted(by_kind.items()):
        yield f"  {kind}: {outcomes}"
    others = soak.publications.injected + len(soak.asker.accepted_packets)
    yield f"{soak.pair.stored} lines of the capture, {others} other packets"
    yield (f"{len(soak.asker.accepted)} requests and {len(soak.asker.jobs)} orders of jobs accepted, refused by status "
           f"{soak.asker.refused}")
    yield f"cluster jobs: {jobs}; recovery: {recovered}"
    yield (f"{len(soak.follower.changes)} changes told over {soak.follower.connections}; {soak.onlooker.looks} looks at "
           f"{len(soak.onlooker.runs)} active runs")
