"""What a database says once everything is left out that two equal runs may say differently."""
import contextlib
import json
import pathlib
import shutil
import sqlite3

# The programs' own diary, which has a row for every start, and counts that grow with every reading of a capture.
# `recovery_audit` and the counts of what is stored are looked at apart.
LEFT_OUT = {"process", "ingest_status", "ingest_counter", "maintenance_task", "recovery_audit"}

# The moment of a write and what is drawn at random.
MASKED = {
    "schema_migration": {"applied_at"},
    "commit_log": {"commit_id", "committed_us"},
    "ledger": {"applied_at", "boot_id"},
    "branch": {"created_at", "deleted_at"},
    "pin": {"created_at"},
    "change_log": {"logged_at"},
    "cluster_jobs": {"finished_at"},
    "removed_nodes": {"removed_at"},
    "data_move": {"updated_at"},
    # A replay looks at observers again, which moves them forward for readers and changes nothing else.
    "observers": {"revision"},
    # A replay drops again what is no message; the diary of drops is not what was heard. The source is named by the path of
    # the capture, which is in the volume.
    "dropped_packets": {"id", "source"},
}

@contextlib.contextmanager
def opened(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only=ON")
        yield connection
    finally:
        connection.close()


def schema_version(database):
    return database.execute("PRAGMA user_version").fetchone()[0]


def database_of(volume):
    return pathlib.Path(volume) / "db" / "heliograph.db"


@contextlib.contextmanager
def raw_copy(volume, scratch):
    """The files as a crash left them, opened elsewhere: no reader recovers or touches the originals."""
    copy = pathlib.Path(scratch) / "copy.db"
    for suffix in ("", "-wal", "-journal"):
        source = pathlib.Path(f"{database_of(volume)}{suffix}")
        if source.exists():
            shutil.copyfile(source, f"{copy}{suffix}")
    try:
        connection = sqlite3.connect(copy, isolation_level=None)
        connection.row_factory = sqlite3.Row
        yield connection
        connection.close()
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            pathlib.Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _tables(connection):
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name")
            if row[0] not in LEFT_OUT]


def _normalised(table, row, ranks):
    row = {name: row[name] for name in row.keys() if name not in MASKED.get(table, ())}
    if table == "meta" and row["key"] in ("epoch", "installation"):
        row["value"] = f"the {row['key']}"
    if table == "change_log" and row["entity_kind"] == "commit":
        row["entity_id"] = f"of commit {row['commit_seq']}"
    if table == "commit_log" and row["ledger_id"] is None and row["kind"] != "genesis":
        row["authored_us"] = "when housekeeping was done"
    if table == "cluster_runs" and row["pruned_at"] is not None:
        row["pruned_at"] = "when housekeeping was done"
    if "revision" in row:
        row["revision"] = ranks[row["revision"]]
    return row


def _revision_ranks(connection, tables):
    """Only the order of revisions means something; a rolled-back transaction may have used one up."""
    seen = set()
    for table in tables:
        if any(column["name"] == "revision" for column in connection.execute(f"PRAGMA table_info({table})")):
            seen.update(row[0] for row in connection.execute(f"SELECT revision FROM {table}"))
    return {revision: rank for rank, revision in enumerate(sorted(seen))}


def read(connection):
    """{table: rows}, each row as JSON, in the order of the keys."""
    tables = _tables(connection)
    ranks = _revision_ranks(connection, tables)
    state = {}
    for table in tables:
        keys = [column["name"] for column in sorted(
            (column for column in connection.execute(f"PRAGMA table_info({table})") if column["pk"]),
            key=lambda column: column["pk"])]
        order = f" ORDER BY {','.join(keys)}" if keys else ""
        rows = [_normalised(table, row, ranks) for row in connection.execute(f"SELECT * FROM {table}{order}")]
        if table == "sqlite_sequence":
            rows = [row for row in rows if row["name"] not in LEFT_OUT]
        if table == "cluster_runs":
            rows = [row for row in rows if row["commit_seq"] is not None]
        if table == "cluster_members":
            # A run that is being staged is not there yet, for whoever reads.
            staged = set(staged_runs(connection))
            rows = [row for row in rows if row["run_id"] not in staged]
        state[table] = [json.dumps(row, sort_keys=True, default=bytes.hex) for row in rows]
        if table == "dropped_packets":
            state[table] = sorted(set(state[table]))
    return state


def staged_runs(connection):
    """Cluster runs that no pointer names yet."""
    return [row[0] for row in connection.execute("SELECT run_id FROM cluster_runs WHERE commit_seq IS NULL")]


def read_volume(volume):
    with opened(database_of(volume)) as connection:
        return read(connection)


def difference(expected, found):
    """Lines that tell a person what is not as it should be; none when all is equal."""
    lines = []
    for table in sorted(expected.keys() | found.keys()):
        wanted, got = expected.get(table, []), found.get(table, [])
        if wanted == got:
            continue
        lines += [f"{table}: missing {row}" for row in wanted if row not in got][:10]
        lines += [f"{table}: too much {row}" for row in got if row not in wanted][:10]
        if sorted(wanted) == sorted(got):
            lines.append(f"{table}: the same rows in another order")
        elif not lines:
            lines.append(f"{table}: {len(wanted)} rows expected, {len(got)} found")
    return lines


def queue_listing(volume):
    """{folder/name: content} of the queue."""
    queue = pathlib.Path(volume) / "queue"
    return {f"{folder}/{path.name}": path.read_bytes()
            for folder in ("tmp", "new", "failed") for path in sorted((queue / folder).glob("*"))}


def folder_modes(volume):
    """{folder: permissions} of the volume: two users may share it."""
    return {str(path.relative_to(volume)): oct(path.stat().st_mode)
            for path in sorted(pathlib.Path(volume).glob("**")) if path != pathlib.Path(volume)}


def audit(volume):
    with opened(database_of(volume)) as connection:
        return [(row["action"], row["ledger_id"])
                for row in connection.execute("SELECT action, ledger_id FROM recovery_audit ORDER BY id")]


def page_faults(connection):
    """What SQLite itself finds wrong with the file."""
    faults = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    return faults + [str(tuple(row)) for row in connection.execute("PRAGMA foreign_key_check")]


def feed_faults(connection):
    """What is wrong with the feed: its numbers have no gap above the floor, every commit has one row of its own kind, and
    that row is the last of its block."""
    faults = []
    floor = int(connection.execute("SELECT value FROM meta WHERE key='feed_floor'").fetchone()[0])
    rows = connection.execute("SELECT seq, commit_seq, kind FROM change_log ORDER BY seq").fetchall()
    above = [row["seq"] for row in rows if row["seq"] > floor]
    if above != list(range(floor + 1, floor + 1 + len(above))):
        faults.append(f"the feed has a gap above {floor}: {above}")
    blocks = []
    for row in rows:
        if not blocks or blocks[-1][0] != row["commit_seq"] or row["commit_seq"] is None:
            blocks.append((row["commit_seq"], []))
        blocks[-1][1].append(row["kind"])
    for commit, kinds in blocks:
        if commit is not None and (kinds.count("commit") != 1 or kinds[-1] != "commit"):
            faults.append(f"the block of commit {commit} is {kinds}")
    commits = [commit for commit, _ in blocks if commit is not None]
    if commits != sorted(set(commits)):
        faults.append(f"the blocks are not in the order of the commits: {commits}")
    logged = [row[0] for row in connection.execute("SELECT commit_seq FROM commit_log WHERE kind<>'genesis' ORDER BY 1")]
    if commits != logged[len(logged) - len(commits):] or (floor == 0 and commits != logged):
        faults.append(f"the feed tells of the commits {commits}, the log of {logged}")
    return faults
