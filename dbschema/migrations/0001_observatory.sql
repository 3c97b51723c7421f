-- All times are milliseconds since 1970 in UTC unless a name says otherwise. Integer keys of nodes and observers come
-- from `identity`, from which nothing is ever deleted.

CREATE TABLE meta(
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- epoch: the identity of this database's history; a restored copy gets another.
-- feed_floor, history_floor: what lies below is no longer there to be asked for.
-- observation_high_water, transmission_high_water: the highest ids ever given, so that retention makes none come back.
INSERT INTO meta VALUES
  ('epoch', lower(hex(randomblob(16)))), ('feed_floor', '0'), ('history_floor', '0'),
  ('observation_high_water', '0'), ('transmission_high_water', '0');

CREATE TABLE data_move(
  name       TEXT PRIMARY KEY,
  state      TEXT NOT NULL CHECK(state IN ('pending','running','done','failed')),
  cursor     INTEGER NOT NULL DEFAULT 0,
  moved_rows INTEGER NOT NULL DEFAULT 0,
  error      TEXT,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is who ----------------------------------------------------------------------------------------------------------

CREATE TABLE identity(
  key        INTEGER PRIMARY KEY,
  public_key BLOB NOT NULL UNIQUE CHECK(length(public_key) = 32)
) STRICT;
CREATE TRIGGER identity_is_kept BEFORE DELETE ON identity
  BEGIN SELECT RAISE(ABORT, 'an identity is never deleted'); END;

CREATE TABLE nodes(
  node_key           INTEGER PRIMARY KEY REFERENCES identity(key),
  public_key         TEXT NOT NULL UNIQUE CHECK(length(public_key) = 64),
  name               TEXT,
  role               TEXT NOT NULL,
  lat                REAL,
  lon                REAL,
  first_seen         INTEGER NOT NULL,
  last_seen          INTEGER NOT NULL,
  advert_count       INTEGER NOT NULL DEFAULT 0,
  advert_time        INTEGER,             -- seconds, by the node's own clock: older adverts do not overwrite newer ones
  battery_mv         INTEGER,
  temperature_c      REAL,
  foreign_advert     INTEGER NOT NULL DEFAULT 0 CHECK(foreign_advert IN (0, 1)),
  default_scope      TEXT,
  multibyte_sup      INTEGER NOT NULL DEFAULT 0 CHECK(multibyte_sup IN (0, 1, 2)),
  multibyte_evidence TEXT CHECK(multibyte_evidence IN ('advert', 'relay', 'path')),
  revision           INTEGER NOT NULL     -- grows with every change, so that a reader can follow
) STRICT;
CREATE INDEX nodes_by_revision ON nodes(revision);

CREATE TABLE inactive_nodes(
  node_key           INTEGER PRIMARY KEY REFERENCES identity(key),
  public_key         TEXT NOT NULL UNIQUE CHECK(length(public_key) = 64),
  name               TEXT,
  role               TEXT NOT NULL,
  lat                REAL,
  lon                REAL,
  first_seen         INTEGER NOT NULL,
  last_seen          INTEGER NOT NULL,
  advert_count       INTEGER NOT NULL DEFAULT 0,
  advert_time        INTEGER,
  battery_mv         INTEGER,
  temperature_c      REAL,
  foreign_advert     INTEGER NOT NULL DEFAULT 0 CHECK(foreign_advert IN (0, 1)),
  default_scope      TEXT,
  multibyte_sup      INTEGER NOT NULL DEFAULT 0 CHECK(multibyte_sup IN (0, 1, 2)),
  multibyte_evidence TEXT CHECK(multibyte_evidence IN ('advert', 'relay', 'path')),
  revision           INTEGER NOT NULL
) STRICT;
CREATE INDEX inactive_nodes_by_revision ON inactive_nodes(revision);

-- A node that is in neither table any more, so that a reader can follow that too.
CREATE TABLE removed_nodes(
  node_key   INTEGER PRIMARY KEY REFERENCES identity(key),
  reason     TEXT NOT NULL,
  removed_at INTEGER NOT NULL,
  commit_seq INTEGER,
  revision   INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_nodes_by_revision ON removed_nodes(revision);

CREATE TABLE observers(
  observer_key         INTEGER PRIMARY KEY REFERENCES identity(key),
  id                   TEXT NOT NULL UNIQUE CHECK(length(id) = 64),
  name                 TEXT,
  iata                 TEXT NOT NULL,
  first_seen           INTEGER NOT NULL,
  last_seen            INTEGER NOT NULL,  -- newest proof of life: a packet, or a status that the broker did not retain
  last_packet_at       INTEGER,
  last_status_at       INTEGER,
  online               INTEGER CHECK(online IN (0, 1)),
  packet_count         INTEGER NOT NULL DEFAULT 0,
  model                TEXT,
  firmware             TEXT,
  client_version       TEXT,
  radio                TEXT,
  battery_mv           INTEGER,
  uptime_secs          INTEGER,
  noise_floor          REAL,
  inactive             INTEGER NOT NULL DEFAULT 0 CHECK(inactive IN (0, 1)),
  can_relay            INTEGER CHECK(can_relay IN (0, 1)),  -- NULL: it never said
  clock_skew_seconds   INTEGER,
  clock_skew_count_24h INTEGER NOT NULL DEFAULT 0,
  clock_last_naive_at  INTEGER,
  revision             INTEGER NOT NULL
) STRICT;
CREATE INDEX observers_by_revision ON observers(revision);

CREATE TABLE observer_metrics(
  observer_key  INTEGER NOT NULL REFERENCES observers(observer_key),
  sampled_at    INTEGER NOT NULL,         -- the slot, not the moment
  noise_floor   REAL,
  tx_air_secs   INTEGER,                  -- counters run since the device's boot
  rx_air_secs   INTEGER,
  recv_errors   INTEGER,
  battery_mv    INTEGER,
  packets_sent  INTEGER,
  packets_recv  INTEGER,
  PRIMARY KEY(observer_key, sampled_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX observer_metrics_by_time ON observer_metrics(sampled_at);

-- What was heard ------------------------------------------------------------------------------------------------------

CREATE TABLE transmissions(
  id                INTEGER PRIMARY KEY,
  content_hash      BLOB NOT NULL CHECK(length(content_hash) = 8),
  payload_type      INTEGER NOT NULL CHECK(payload_type BETWEEN 0 AND 15),
  payload           BLOB NOT NULL,
  base_time         INTEGER NOT NULL,     -- what the observations' times count from; never changes
  first_seen        INTEGER NOT NULL,
  last_seen         INTEGER NOT NULL,
  observation_count INTEGER NOT NULL,
  origin_key        INTEGER REFERENCES identity(key),  -- who signed it: adverts only
  channel           TEXT,
  scope             TEXT                  -- NULL: unscoped; '': scoped by a key that is not known; else '#name'
) STRICT;
CREATE UNIQUE INDEX transmissions_by_hash ON transmissions(content_hash);
CREATE INDEX transmissions_by_origin ON transmissions(origin_key) WHERE origin_key IS NOT NULL;
CREATE INDEX transmissions_by_channel ON transmissions(channel) WHERE channel IS NOT NULL;

-- One reception each. Columns are few and small because there are millions of rows; the frame can be rebuilt to the byte
-- from the route, transport codes, path_len and path here and the payload of the transmission.
CREATE TABLE observations(
  id               INTEGER PRIMARY KEY,   -- grows with every row ever stored: watermarks count in it
  transmission_id  INTEGER NOT NULL,
  observer_key     INTEGER NOT NULL,
  received_after   INTEGER NOT NULL,      -- milliseconds after transmissions.base_time; may be negative
  route            INTEGER NOT NULL,      -- 0..3
  path_len         INTEGER NOT NULL,      -- the byte as it was on the air
  path             BLOB,                  -- NULL when it is empty
  transport_codes  INTEGER,               -- code1 | code2 << 16; routes 0 and 3 only
  device_offset    INTEGER,               -- the observer's clock less the receipt, in seconds; NULL without a clock
  flags            INTEGER NOT NULL,      -- bits 0-1 direction (0 unknown, 1 rx, 2 tx), bits 2-3 trust in that clock
  snr              INTEGER,               -- quarter dB
  rssi             INTEGER                -- dBm
) STRICT;
CREATE INDEX observations_by_transmission ON observations(transmission_id);

CREATE TABLE dropped_packets(
  id           INTEGER PRIMARY KEY,
  dropped_at   INTEGER NOT NULL,
  reason       TEXT NOT NULL,
  detail       TEXT,
  source       TEXT,
  observer_id  TEXT,
  observer_name TEXT,
  content_hash BLOB,
  raw          BLOB,
  node_public_key TEXT,
  node_name    TEXT
) STRICT;

-- What was concluded --------------------------------------------------------------------------------------------------

CREATE TABLE branch(
  branch_id  INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL CHECK(length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^a-z0-9._-]*'),
  state      TEXT NOT NULL DEFAULT 'live' CHECK(state IN ('live', 'deleted')),
  base_seq   INTEGER REFERENCES commit_log(commit_seq) DEFERRABLE INITIALLY DEFERRED,
  head_seq   INTEGER NOT NULL REFERENCES commit_log(commit_seq) DEFERRABLE INITIALLY DEFERRED,
  actor      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  CHECK((branch_id = 1) = (base_seq IS NULL)),
  CHECK((state = 'deleted') = (deleted_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX branch_by_name ON branch(name) WHERE state = 'live';

CREATE TABLE commit_log(
  commit_seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  commit_id         TEXT NOT NULL UNIQUE,
  branch_id         INTEGER NOT NULL REFERENCES branch(branch_id) DEFERRABLE INITIALLY DEFERRED,
  parent_seq        INTEGER REFERENCES commit_log(commit_seq),
  merged_parent_seq INTEGER REFERENCES commit_log(commit_seq),
  kind              TEXT NOT NULL,        -- genesis, snapshot, merge, revert, edit, maintenance; the list may grow
  stream            TEXT,
  actor             TEXT NOT NULL CHECK(length(actor) > 0),
  authored_us       INTEGER NOT NULL,     -- microseconds
  committed_us      INTEGER NOT NULL,     -- microseconds; strictly increasing on a branch
  ledger_id         TEXT UNIQUE,
  watermark         INTEGER,
  digest            TEXT,
  inserted          INTEGER NOT NULL DEFAULT 0,
  updated           INTEGER NOT NULL DEFAULT 0,
  removed           INTEGER NOT NULL DEFAULT 0,
  CHECK((kind = 'genesis') = (parent_seq IS NULL)),
  CHECK((kind = 'merge') = (merged_parent_seq IS NOT NULL)),
  CHECK(parent_seq IS NULL OR parent_seq < commit_seq)
) STRICT;
CREATE UNIQUE INDEX commit_log_by_time ON commit_log(branch_id, committed_us);

CREATE TABLE ledger(
  id           TEXT PRIMARY KEY,          -- of the queue file, or bad:<digest> for one that does not verify
  kind         TEXT,
  stream       TEXT,
  branch_id    INTEGER,
  instance     TEXT,
  producer_seq INTEGER,
  watermark    INTEGER,
  digest       TEXT,
  payload_bytes INTEGER,
  actor        TEXT,
  created_at   INTEGER,
  applied_at   INTEGER NOT NULL,
  boot_id      TEXT NOT NULL,
  outcome      TEXT NOT NULL CHECK(outcome IN
                 ('applied', 'done', 'noop', 'stale', 'superseded', 'conflict', 'rejected', 'wrong_epoch')),
  commit_seq   INTEGER REFERENCES commit_log(commit_seq),
  reason       TEXT,
  result       TEXT CHECK(result IS NULL OR json_valid(result)),
  CHECK((outcome = 'applied') = (commit_seq IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_stream ON ledger(branch_id, stream, watermark);
CREATE INDEX ledger_by_time ON ledger(applied_at);
CREATE INDEX ledger_by_commit ON ledger(commit_seq) WHERE commit_seq IS NOT NULL;

-- A node's capability from one commit to another; the open interval is the present. Never updated but to close it.
CREATE TABLE node_capability(
  branch_id     INTEGER NOT NULL REFERENCES branch(branch_id),
  node_key      INTEGER NOT NULL REFERENCES identity(key),
  from_seq      INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq        INTEGER REFERENCES commit_log(commit_seq),
  status        INTEGER NOT NULL CHECK(status IN (0, 1, 2)),
  evidence      TEXT CHECK(evidence IN ('advert', 'relay', 'path')),
  max_hash_size INTEGER CHECK(max_hash_size BETWEEN 1 AND 3),
  adopted       INTEGER NOT NULL CHECK(adopted IN (0, 1)),
  likely_legacy INTEGER NOT NULL CHECK(likely_legacy IN (0, 1)),
  probability   INTEGER CHECK(probability BETWEEN 0 AND 100),  -- hundredths
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  PRIMARY KEY(branch_id, node_key, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX node_capability_now ON node_capability(branch_id, node_key) WHERE to_seq IS NULL;
CREATE INDEX node_capability_from ON node_capability(from_seq);
CREATE INDEX node_capability_closed ON node_capability(to_seq) WHERE to_seq IS NOT NULL;

-- What the capability rests on, as of the newest snapshot. Live only: counters have no history.
CREATE TABLE capability_counters(
  node_key       INTEGER PRIMARY KEY REFERENCES identity(key),
  advert_proofs  INTEGER NOT NULL,
  relay_proofs   INTEGER NOT NULL,
  path_hints     INTEGER NOT NULL,
  last_proof_at  INTEGER,
  watermark      INTEGER NOT NULL
) STRICT;

CREATE TABLE change_log(
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  commit_seq  INTEGER,
  branch_id   INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  entity_kind TEXT NOT NULL,
  entity_id   TEXT NOT NULL,
  payload     TEXT NOT NULL CHECK(json_valid(payload)),
  logged_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX change_log_by_time ON change_log(logged_at);

CREATE TABLE recovery_audit(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  boot_id    TEXT NOT NULL,
  at         INTEGER NOT NULL,
  action     TEXT NOT NULL CHECK(action IN ('rolled_forward', 'cleaned_marker', 'quarantined', 'swept')),
  ledger_id  TEXT,
  commit_seq INTEGER,
  for_actor  TEXT,
  detail     TEXT
) STRICT;

-- The ingestor's own state, for it has no HTTP. Outside the feed. ------------------------------------------------------

CREATE TABLE ingest_status(
  source           TEXT PRIMARY KEY,
  kind             TEXT NOT NULL,
  address          TEXT NOT NULL,
  connected        INTEGER NOT NULL CHECK(connected IN (0, 1)),
  last_connect     INTEGER,
  last_disconnect  INTEGER,
  last_receipt     INTEGER,
  connect_count    INTEGER NOT NULL,
  disconnect_count INTEGER NOT NULL,
  received         INTEGER NOT NULL,
  stored           INTEGER NOT NULL,
  duplicates       INTEGER NOT NULL,
  dropped          INTEGER NOT NULL,
  received_5m      INTEGER NOT NULL,
  unreadable       INTEGER NOT NULL,
  stalls           INTEGER NOT NULL,
  last_error       TEXT,
  updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ingest_counter(
  name  TEXT PRIMARY KEY,                 -- for the life of the database, unlike the counters of ingest_status
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance_task(
  name         TEXT PRIMARY KEY,
  period_s     INTEGER NOT NULL,
  runs         INTEGER NOT NULL,
  last_start   INTEGER,
  last_end     INTEGER,
  last_outcome TEXT,
  last_error   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE process(
  role       TEXT PRIMARY KEY,
  boot_id    TEXT NOT NULL,
  version    TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  stopped_at INTEGER,
  beat_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rules that hold whatever the code does -------------------------------------------------------------------------------

CREATE TRIGGER commit_log_is_immutable BEFORE UPDATE ON commit_log
  BEGIN SELECT RAISE(ABORT, 'a commit never changes'); END;
CREATE TRIGGER commit_log_is_kept BEFORE DELETE ON commit_log
  BEGIN SELECT RAISE(ABORT, 'a commit is never deleted'); END;
CREATE TRIGGER commit_log_time_grows BEFORE INSERT ON commit_log
  WHEN NEW.committed_us <= (SELECT coalesce(max(committed_us), -1) FROM commit_log WHERE branch_id = NEW.branch_id)
  BEGIN SELECT RAISE(ABORT, 'the time of commits must grow'); END;
CREATE TRIGGER ledger_is_immutable BEFORE UPDATE ON ledger
  BEGIN SELECT RAISE(ABORT, 'a ledger row never changes'); END;
CREATE TRIGGER change_log_is_append_only BEFORE UPDATE ON change_log
  BEGIN SELECT RAISE(ABORT, 'the change log only grows'); END;
CREATE TRIGGER change_log_floor_first BEFORE DELETE ON change_log
  WHEN OLD.seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'feed_floor')
  BEGIN SELECT RAISE(ABORT, 'raise feed_floor first'); END;
CREATE TRIGGER node_capability_is_frozen BEFORE UPDATE ON node_capability
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.status IS NOT NEW.status
    OR OLD.evidence IS NOT NEW.evidence OR OLD.max_hash_size IS NOT NEW.max_hash_size
    OR OLD.adopted IS NOT NEW.adopted OR OLD.likely_legacy IS NOT NEW.likely_legacy
    OR OLD.probability IS NOT NEW.probability OR OLD.branch_id IS NOT NEW.branch_id
    OR OLD.node_key IS NOT NEW.node_key OR OLD.from_seq IS NOT NEW.from_seq
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;

-- The feed -------------------------------------------------------------------------------------------------------------

CREATE TRIGGER feed_capability_opened AFTER INSERT ON node_capability BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'capability_changed', 'node', lower(hex(i.public_key)),
         json_object('status', NEW.status, 'evidence', NEW.evidence, 'max_hash_size', NEW.max_hash_size,
                     'adopted', json(iif(NEW.adopted, 'true', 'false')),
                     'likely_legacy', json(iif(NEW.likely_legacy, 'true', 'false')),
                     'probability', NEW.probability / 100.0),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM identity AS i WHERE i.key = NEW.node_key;
END;
-- An interval that closes without a successor ends because its node is removed, and that is the event.
CREATE TRIGGER feed_node_removed AFTER INSERT ON removed_nodes BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.commit_seq, 1, 'node_removed', 'node', lower(hex(i.public_key)), json_object('reason', NEW.reason),
         NEW.removed_at
  FROM identity AS i WHERE i.key = NEW.node_key;
END;
CREATE TRIGGER feed_branch_created AFTER INSERT ON branch WHEN NEW.branch_id <> 1 BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  VALUES (NULL, NEW.branch_id, 'branch_created', 'branch', NEW.name, json_object('base_seq', NEW.base_seq),
          NEW.created_at);
END;
CREATE TRIGGER feed_branch_deleted AFTER UPDATE OF state ON branch
WHEN OLD.state IS NOT NEW.state AND NEW.state = 'deleted' BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  VALUES (NULL, NEW.branch_id, 'branch_deleted', 'branch', NEW.name, json_object(), NEW.deleted_at);
END;
-- Moving a branch's head is the last step of a commit, so that the commit's own row closes its block in the feed.
CREATE TRIGGER feed_commit AFTER UPDATE OF head_seq ON branch WHEN OLD.head_seq IS NOT NEW.head_seq BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT c.commit_seq, c.branch_id, 'commit', 'commit', c.commit_id,
         json_object('kind', c.kind, 'stream', c.stream, 'actor', c.actor, 'parent_seq', c.parent_seq,
                     'inserted', c.inserted, 'updated', c.updated, 'removed', c.removed, 'watermark', c.watermark),
         c.committed_us / 1000
  FROM commit_log AS c WHERE c.commit_seq = NEW.head_seq;
END;

INSERT INTO commit_log(commit_seq, commit_id, branch_id, kind, actor, authored_us, committed_us)
  VALUES (1, 'genesis', 1, 'genesis', 'heliograph', 0, 0);
INSERT INTO branch(branch_id, name, head_seq, actor, created_at) VALUES (1, 'main', 1, 'heliograph', 0);
