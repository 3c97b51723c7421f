-- Clusters: what each run found, and the tracks in which clusters live on from run to run. Runs are whole and never
-- change; titles, statuses, states of decisions, aliases and overrides are intervals between commits. Members are
-- integers: of `identity` in the collection mesh, of `item_identity` in the collection items.

CREATE TABLE item_identity(
  key     INTEGER PRIMARY KEY,
  item_id TEXT NOT NULL UNIQUE CHECK(length(item_id) BETWEEN 1 AND 256)
) STRICT;
CREATE TRIGGER item_identity_is_kept BEFORE DELETE ON item_identity
  BEGIN SELECT RAISE(ABORT, 'an identity is never deleted'); END;

-- Runs ----------------------------------------------------------------------------------------------------------------

CREATE TABLE cluster_runs(
  run_id            INTEGER PRIMARY KEY,
  branch_id         INTEGER NOT NULL REFERENCES branch(branch_id),
  collection        TEXT NOT NULL CHECK(collection IN ('mesh', 'items')),
  file_id           TEXT NOT NULL,        -- of the queue file that brought it
  copy_of           INTEGER REFERENCES cluster_runs(run_id),  -- a merge or a revert brought this run's members again
  job_id            TEXT,
  coverage          TEXT NOT NULL CHECK(coverage IN ('full', 'partial')),
  match_rule        TEXT NOT NULL CHECK(match_rule IN ('memory', 'plain-jaccard')),
  algorithm         TEXT NOT NULL,
  parameters        TEXT NOT NULL CHECK(json_valid(parameters)),
  input_digest      BLOB NOT NULL CHECK(length(input_digest) = 32),
  content_digest    BLOB NOT NULL CHECK(length(content_digest) = 32),
  watermark         INTEGER NOT NULL,
  data_time         INTEGER,
  computed_at       INTEGER NOT NULL,
  quality           TEXT NOT NULL CHECK(json_valid(quality)),
  cluster_count     INTEGER NOT NULL,
  member_count      INTEGER NOT NULL,     -- in clusters
  unclustered_count INTEGER NOT NULL,
  previous_run_id   INTEGER,              -- that it was matched after; NULL for the first
  commit_seq        INTEGER REFERENCES commit_log(commit_seq),  -- NULL while it is staged, and nothing names it
  pruned_at         INTEGER               -- its clusters and members are gone, its decisions are not
) STRICT;
CREATE UNIQUE INDEX cluster_runs_by_file ON cluster_runs(file_id, collection);
CREATE UNIQUE INDEX cluster_runs_by_commit ON cluster_runs(branch_id, collection, commit_seq);
CREATE INDEX cluster_runs_staged ON cluster_runs(run_id) WHERE commit_seq IS NULL;
CREATE INDEX cluster_runs_whole ON cluster_runs(commit_seq) WHERE commit_seq IS NOT NULL AND pruned_at IS NULL;

-- A cluster as one run found it.
CREATE TABLE cluster_snapshots(
  run_id             INTEGER NOT NULL REFERENCES cluster_runs(run_id),
  ordinal            INTEGER NOT NULL,
  track_key          INTEGER REFERENCES cluster_tracks(track_key),  -- NULL: people moved every member elsewhere
  size               INTEGER NOT NULL CHECK(size > 0),
  representative_key INTEGER NOT NULL,
  cohesion           REAL NOT NULL,
  label              TEXT NOT NULL,
  summary            TEXT NOT NULL,
  PRIMARY KEY(run_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX cluster_snapshots_by_track ON cluster_snapshots(track_key, run_id);

CREATE TABLE cluster_members(
  run_id     INTEGER NOT NULL REFERENCES cluster_runs(run_id),
  member_key INTEGER NOT NULL,
  ordinal    INTEGER,                     -- NULL: the run looked at it and put it into no cluster
  strength   INTEGER NOT NULL CHECK(strength BETWEEN 0 AND 1000),  -- thousandths
  PRIMARY KEY(run_id, member_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX cluster_members_by_cluster ON cluster_members(run_id, ordinal);

CREATE TABLE cluster_state(
  branch_id    INTEGER NOT NULL REFERENCES branch(branch_id),
  collection   TEXT NOT NULL CHECK(collection IN ('mesh', 'items')),
  active_run   INTEGER NOT NULL REFERENCES cluster_runs(run_id),
  previous_run INTEGER REFERENCES cluster_runs(run_id),
  commit_seq   INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  PRIMARY KEY(branch_id, collection)
) STRICT, WITHOUT ROWID;

-- Tracks --------------------------------------------------------------------------------------------------------------
-- Nothing here refers to a run by a foreign key: tracks, decisions, aliases and overrides outlive runs.

CREATE TABLE cluster_tracks(
  track_key  INTEGER PRIMARY KEY,         -- smaller is older
  track_id   TEXT NOT NULL UNIQUE CHECK(length(track_id) = 26),
  collection TEXT NOT NULL CHECK(collection IN ('mesh', 'items')),
  branch_id  INTEGER NOT NULL REFERENCES branch(branch_id),  -- that it began on
  born_seq   INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  born_run   INTEGER                      -- NULL: a person made it
) STRICT;

CREATE TABLE cluster_track_states(
  branch_id          INTEGER NOT NULL REFERENCES branch(branch_id),
  track_key          INTEGER NOT NULL REFERENCES cluster_tracks(track_key),
  from_seq           INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq             INTEGER REFERENCES commit_log(commit_seq),
  slug               TEXT NOT NULL CHECK(length(slug) BETWEEN 1 AND 80 AND slug NOT GLOB '*[^a-z0-9-]*'),
  title              TEXT NOT NULL,
  title_pinned       INTEGER NOT NULL CHECK(title_pinned IN (0, 1)),  -- a person chose it
  status             TEXT NOT NULL CHECK(status IN ('active', 'dormant', 'ended', 'merged', 'closed')),
  representative_key INTEGER,
  merged_into        INTEGER REFERENCES cluster_tracks(track_key),
  merged_by_hand     INTEGER NOT NULL CHECK(merged_by_hand IN (0, 1)),
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  CHECK((status = 'merged') = (merged_into IS NOT NULL)),
  PRIMARY KEY(branch_id, track_key, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cluster_track_states_now ON cluster_track_states(branch_id, track_key) WHERE to_seq IS NULL;
CREATE INDEX cluster_track_states_from ON cluster_track_states(from_seq);
CREATE INDEX cluster_track_states_closed ON cluster_track_states(to_seq) WHERE to_seq IS NOT NULL;
CREATE INDEX cluster_track_states_by_slug ON cluster_track_states(slug);
CREATE INDEX cluster_track_states_by_status ON cluster_track_states(branch_id, status) WHERE to_seq IS NULL;
CREATE INDEX cluster_track_states_by_merge ON cluster_track_states(merged_into) WHERE merged_into IS NOT NULL;

-- Names that a track once had.
CREATE TABLE cluster_aliases(
  branch_id INTEGER NOT NULL REFERENCES branch(branch_id),
  alias     TEXT NOT NULL,
  from_seq  INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq    INTEGER REFERENCES commit_log(commit_seq),
  track_key INTEGER NOT NULL REFERENCES cluster_tracks(track_key),
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  PRIMARY KEY(branch_id, alias, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cluster_aliases_now ON cluster_aliases(branch_id, alias) WHERE to_seq IS NULL;
CREATE INDEX cluster_aliases_by_name ON cluster_aliases(alias);
CREATE INDEX cluster_aliases_by_track ON cluster_aliases(track_key);

-- Decisions -----------------------------------------------------------------------------------------------------------

CREATE TABLE cluster_merge_decisions(
  decision_id     INTEGER PRIMARY KEY,
  branch_id       INTEGER NOT NULL REFERENCES branch(branch_id),
  run_id          INTEGER NOT NULL,
  previous_run_id INTEGER,
  commit_seq      INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  ordinal         INTEGER,                -- of the run's cluster; NULL: the track dissolved
  track_key       INTEGER NOT NULL REFERENCES cluster_tracks(track_key),
  rule            TEXT NOT NULL,
  outcome         TEXT NOT NULL CHECK(outcome IN ('updated', 'new', 'dissolved')),
  class           TEXT NOT NULL CHECK(class IN ('continuation', 'growth', 'contraction', 'merge', 'absorb', 'split',
                                                'shed', 'birth', 'end', 'resurgence')),
  shared          INTEGER NOT NULL,
  old_size        INTEGER NOT NULL,
  new_size        INTEGER NOT NULL,
  newcomers       INTEGER NOT NULL,
  share_old       REAL NOT NULL,
  share_new       REAL NOT NULL,
  jaccard         REAL NOT NULL,
  present_jaccard REAL NOT NULL,
  turnover        REAL NOT NULL,
  score           REAL NOT NULL,
  second_score    REAL NOT NULL,
  confidence      REAL NOT NULL,
  reason          TEXT NOT NULL,
  CHECK((outcome = 'dissolved') = (ordinal IS NULL))
) STRICT;
CREATE INDEX cluster_merge_decisions_by_run ON cluster_merge_decisions(run_id);
CREATE INDEX cluster_merge_decisions_by_track ON cluster_merge_decisions(track_key);
CREATE INDEX cluster_merge_decisions_events ON cluster_merge_decisions(track_key)
  WHERE class NOT IN ('continuation', 'growth', 'contraction');
CREATE INDEX cluster_merge_decisions_newest_events ON cluster_merge_decisions(decision_id)
  WHERE class NOT IN ('continuation', 'growth', 'contraction');

-- The other tracks that a decision concerns.
CREATE TABLE cluster_decision_tracks(
  decision_id INTEGER NOT NULL REFERENCES cluster_merge_decisions(decision_id),
  track_key   INTEGER NOT NULL REFERENCES cluster_tracks(track_key),
  role        TEXT NOT NULL CHECK(role IN ('source', 'child', 'parent', 'into')),
  PRIMARY KEY(decision_id, track_key, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX cluster_decision_tracks_by_track ON cluster_decision_tracks(track_key);

-- A decision without a row here was confirmed from the start.
CREATE TABLE cluster_decision_states(
  branch_id   INTEGER NOT NULL REFERENCES branch(branch_id),
  decision_id INTEGER NOT NULL REFERENCES cluster_merge_decisions(decision_id),
  from_seq    INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq      INTEGER REFERENCES commit_log(commit_seq),
  state       TEXT NOT NULL CHECK(state IN ('tentative', 'confirmed', 'reverted')),
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  PRIMARY KEY(branch_id, decision_id, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cluster_decision_states_now ON cluster_decision_states(branch_id, decision_id)
  WHERE to_seq IS NULL;
CREATE INDEX cluster_decision_states_open ON cluster_decision_states(branch_id)
  WHERE to_seq IS NULL AND state = 'tentative';
CREATE INDEX cluster_decision_states_from ON cluster_decision_states(from_seq);
CREATE INDEX cluster_decision_states_closed ON cluster_decision_states(to_seq) WHERE to_seq IS NOT NULL;

-- Overrides -----------------------------------------------------------------------------------------------------------
-- In force while the interval is open. Undoing one closes it, and is a row of its own.

CREATE TABLE cluster_overrides(
  branch_id       INTEGER NOT NULL REFERENCES branch(branch_id),
  override_id     TEXT NOT NULL,          -- of the queue file that brought it
  from_seq        INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq          INTEGER REFERENCES commit_log(commit_seq),
  collection      TEXT NOT NULL CHECK(collection IN ('mesh', 'items')),
  action          TEXT NOT NULL CHECK(action IN ('rename', 'exclude', 'include', 'merge', 'split', 'close', 'reopen',
                                                 'undo')),
  track_key       INTEGER NOT NULL REFERENCES cluster_tracks(track_key),
  other_track_key INTEGER REFERENCES cluster_tracks(track_key),  -- merged away, or split off
  title           TEXT,                   -- of a rename or a split
  undoes          TEXT,                   -- the override that an undo takes back
  actor           TEXT NOT NULL,
  reason          TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  CHECK((action = 'undo') = (undoes IS NOT NULL)),
  PRIMARY KEY(branch_id, override_id, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cluster_overrides_now ON cluster_overrides(branch_id, override_id) WHERE to_seq IS NULL;
CREATE INDEX cluster_overrides_by_track ON cluster_overrides(track_key);
CREATE INDEX cluster_overrides_by_other ON cluster_overrides(other_track_key) WHERE other_track_key IS NOT NULL;

CREATE TABLE cluster_override_members(
  override_id TEXT NOT NULL,
  member_key  INTEGER NOT NULL,
  PRIMARY KEY(override_id, member_key)
) STRICT, WITHOUT ROWID;

-- How often an exclusion kept a member out. Live only.
CREATE TABLE cluster_override_counters(
  branch_id   INTEGER NOT NULL,
  override_id TEXT NOT NULL,
  blocked     INTEGER NOT NULL,
  last_run    INTEGER NOT NULL,
  PRIMARY KEY(branch_id, override_id)
) STRICT, WITHOUT ROWID;

-- Jobs ----------------------------------------------------------------------------------------------------------------

CREATE TABLE cluster_jobs(
  job_id       TEXT PRIMARY KEY CHECK(length(job_id) = 26),
  branch_id    INTEGER NOT NULL REFERENCES branch(branch_id),
  collection   TEXT NOT NULL CHECK(collection IN ('mesh', 'items')),
  kind         TEXT NOT NULL CHECK(kind IN ('run', 'choose-resolution')),
  state        TEXT NOT NULL CHECK(state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
  trigger_kind TEXT NOT NULL CHECK(trigger_kind IN ('request', 'schedule')),
  instance     TEXT NOT NULL,             -- the boot of the server that runs it
  requested_by TEXT NOT NULL,
  parameters   TEXT NOT NULL CHECK(json_valid(parameters)),
  requested_at INTEGER NOT NULL,
  started_at   INTEGER,
  finished_at  INTEGER,
  run_id       INTEGER,
  statistics   TEXT NOT NULL CHECK(json_valid(statistics)),
  error        TEXT,
  CHECK((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK((state = 'failed') = (error IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX cluster_jobs_by_time ON cluster_jobs(requested_at);
CREATE INDEX cluster_jobs_unfinished ON cluster_jobs(state) WHERE finished_at IS NULL;

-- Rules that hold whatever the code does -------------------------------------------------------------------------------

CREATE TRIGGER cluster_runs_are_frozen BEFORE UPDATE ON cluster_runs
  WHEN OLD.commit_seq IS NOT NULL AND NOT (OLD.pruned_at IS NULL AND NEW.pruned_at IS NOT NULL
    AND NEW.commit_seq IS OLD.commit_seq AND NEW.run_id = OLD.run_id AND NEW.content_digest = OLD.content_digest
    AND NOT EXISTS (SELECT 1 FROM cluster_state WHERE OLD.run_id IN (active_run, previous_run)))
  BEGIN SELECT RAISE(ABORT, 'an applied run never changes, and the active and the previous one are never pruned'); END;
CREATE TRIGGER cluster_runs_are_kept BEFORE DELETE ON cluster_runs WHEN OLD.commit_seq IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'an applied run is never deleted'); END;
CREATE TRIGGER cluster_snapshots_are_frozen BEFORE UPDATE ON cluster_snapshots
  BEGIN SELECT RAISE(ABORT, 'a cluster of a run never changes'); END;
CREATE TRIGGER cluster_snapshots_are_whole BEFORE INSERT ON cluster_snapshots
  WHEN (SELECT commit_seq FROM cluster_runs WHERE run_id = NEW.run_id) IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'an applied run never changes'); END;
CREATE TRIGGER cluster_snapshots_are_kept BEFORE DELETE ON cluster_snapshots
  WHEN (SELECT commit_seq IS NOT NULL AND pruned_at IS NULL FROM cluster_runs WHERE run_id = OLD.run_id)
  BEGIN SELECT RAISE(ABORT, 'an applied run loses nothing before it is marked as pruned'); END;
CREATE TRIGGER cluster_members_are_frozen BEFORE UPDATE ON cluster_members
  BEGIN SELECT RAISE(ABORT, 'a member of a run never changes'); END;
CREATE TRIGGER cluster_members_are_whole BEFORE INSERT ON cluster_members
  WHEN (SELECT commit_seq FROM cluster_runs WHERE run_id = NEW.run_id) IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'an applied run never changes'); END;
CREATE TRIGGER cluster_members_are_kept BEFORE DELETE ON cluster_members
  WHEN (SELECT commit_seq IS NOT NULL AND pruned_at IS NULL FROM cluster_runs WHERE run_id = OLD.run_id)
  BEGIN SELECT RAISE(ABORT, 'an applied run loses nothing before it is marked as pruned'); END;
CREATE TRIGGER cluster_state_names_applied_runs BEFORE INSERT ON cluster_state
  WHEN (SELECT commit_seq FROM cluster_runs WHERE run_id = NEW.active_run) IS NULL
  BEGIN SELECT RAISE(ABORT, 'no pointer names a staged run'); END;
CREATE TRIGGER cluster_state_moves_to_applied_runs BEFORE UPDATE ON cluster_state
  WHEN (SELECT commit_seq FROM cluster_runs WHERE run_id = NEW.active_run) IS NULL
  BEGIN SELECT RAISE(ABORT, 'no pointer names a staged run'); END;

CREATE TRIGGER cluster_tracks_never_change BEFORE UPDATE ON cluster_tracks
  BEGIN SELECT RAISE(ABORT, 'a track is what it was born as'); END;
CREATE TRIGGER cluster_tracks_are_kept BEFORE DELETE ON cluster_tracks
  BEGIN SELECT RAISE(ABORT, 'a track is never deleted'); END;
CREATE TRIGGER cluster_track_states_are_frozen BEFORE UPDATE ON cluster_track_states
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.slug IS NOT NEW.slug OR OLD.title IS NOT NEW.title
    OR OLD.title_pinned IS NOT NEW.title_pinned OR OLD.status IS NOT NEW.status
    OR OLD.representative_key IS NOT NEW.representative_key OR OLD.merged_into IS NOT NEW.merged_into
    OR OLD.merged_by_hand IS NOT NEW.merged_by_hand OR OLD.branch_id IS NOT NEW.branch_id
    OR OLD.track_key IS NOT NEW.track_key OR OLD.from_seq IS NOT NEW.from_seq
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;
CREATE TRIGGER cluster_track_states_are_kept BEFORE DELETE ON cluster_track_states
  WHEN (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'what a track was is kept while its branch lives'); END;
CREATE TRIGGER cluster_aliases_are_frozen BEFORE UPDATE ON cluster_aliases
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.alias IS NOT NEW.alias
    OR OLD.track_key IS NOT NEW.track_key OR OLD.branch_id IS NOT NEW.branch_id OR OLD.from_seq IS NOT NEW.from_seq
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;
CREATE TRIGGER cluster_aliases_are_kept BEFORE DELETE ON cluster_aliases
  WHEN (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'an alias is kept while its branch lives'); END;
CREATE TRIGGER cluster_merge_decisions_never_change BEFORE UPDATE ON cluster_merge_decisions
  BEGIN SELECT RAISE(ABORT, 'a decision never changes, only its state does'); END;
CREATE TRIGGER cluster_merge_decisions_are_kept BEFORE DELETE ON cluster_merge_decisions
  BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
CREATE TRIGGER cluster_decision_states_are_frozen BEFORE UPDATE ON cluster_decision_states
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.state IS NOT NEW.state
    OR OLD.branch_id IS NOT NEW.branch_id OR OLD.decision_id IS NOT NEW.decision_id
    OR OLD.from_seq IS NOT NEW.from_seq
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;
CREATE TRIGGER cluster_decision_states_are_kept BEFORE DELETE ON cluster_decision_states
  WHEN (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'the state of a decision is kept while its branch lives'); END;
CREATE TRIGGER cluster_overrides_are_frozen BEFORE UPDATE ON cluster_overrides
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.branch_id IS NOT NEW.branch_id
    OR OLD.override_id IS NOT NEW.override_id OR OLD.from_seq IS NOT NEW.from_seq
    OR OLD.collection IS NOT NEW.collection OR OLD.action IS NOT NEW.action OR OLD.track_key IS NOT NEW.track_key
    OR OLD.other_track_key IS NOT NEW.other_track_key OR OLD.title IS NOT NEW.title OR OLD.undoes IS NOT NEW.undoes
    OR OLD.actor IS NOT NEW.actor OR OLD.reason IS NOT NEW.reason OR OLD.created_at IS NOT NEW.created_at
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;
CREATE TRIGGER cluster_overrides_are_kept BEFORE DELETE ON cluster_overrides
  WHEN (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'an override is kept while its branch lives'); END;
CREATE TRIGGER cluster_jobs_end_once BEFORE UPDATE ON cluster_jobs WHEN OLD.finished_at IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'a finished job never changes'); END;

-- The feed -------------------------------------------------------------------------------------------------------------

CREATE TRIGGER feed_cluster_opened AFTER INSERT ON cluster_track_states BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'cluster_changed', 'cluster', t.track_id,
         json_object('collection', t.collection, 'slug', NEW.slug, 'title', NEW.title,
                     'title_pinned', json(iif(NEW.title_pinned, 'true', 'false')), 'status', NEW.status,
                     'representative', iif(t.collection = 'mesh',
                       (SELECT lower(hex(public_key)) FROM identity WHERE key = NEW.representative_key),
                       (SELECT item_id FROM item_identity WHERE key = NEW.representative_key)),
                     'merged_into', (SELECT track_id FROM cluster_tracks WHERE track_key = NEW.merged_into),
                     'merged_by_hand', json(iif(NEW.merged_by_hand, 'true', 'false'))),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM cluster_tracks AS t WHERE t.track_key = NEW.track_key;
END;
CREATE TRIGGER feed_cluster_alias_opened AFTER INSERT ON cluster_aliases BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'cluster_alias_added', 'cluster_alias', NEW.alias,
         json_object('cluster', t.track_id),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM cluster_tracks AS t WHERE t.track_key = NEW.track_key;
END;
CREATE TRIGGER feed_cluster_alias_closed AFTER UPDATE ON cluster_aliases BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.to_seq, NEW.branch_id, 'cluster_alias_removed', 'cluster_alias', NEW.alias,
         json_object('cluster', t.track_id),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.to_seq)
  FROM cluster_tracks AS t WHERE t.track_key = NEW.track_key;
END;
CREATE TRIGGER feed_cluster_decision AFTER INSERT ON cluster_decision_states BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'cluster_decision', 'cluster_decision', CAST(NEW.decision_id AS TEXT),
         json_object('cluster', t.track_id, 'run', d.run_id, 'outcome', d.outcome, 'class', d.class,
                     'state', NEW.state, 'confidence', d.confidence, 'reason', d.reason),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM cluster_merge_decisions AS d JOIN cluster_tracks AS t USING(track_key) WHERE d.decision_id = NEW.decision_id;
END;
CREATE TRIGGER feed_cluster_override AFTER INSERT ON cluster_overrides BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'cluster_override', 'cluster_override', NEW.override_id,
         json_object('cluster', t.track_id, 'action', NEW.action, 'actor', NEW.actor, 'reason', NEW.reason,
                     'title', NEW.title, 'undoes', NEW.undoes,
                     'other', (SELECT track_id FROM cluster_tracks WHERE track_key = NEW.other_track_key)),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM cluster_tracks AS t WHERE t.track_key = NEW.track_key;
END;
CREATE TRIGGER feed_cluster_override_ended AFTER UPDATE ON cluster_overrides BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.to_seq, NEW.branch_id, 'cluster_override_ended', 'cluster_override', NEW.override_id,
         json_object('cluster', t.track_id, 'action', NEW.action),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.to_seq)
  FROM cluster_tracks AS t WHERE t.track_key = NEW.track_key;
END;
CREATE TRIGGER feed_cluster_run_first AFTER INSERT ON cluster_state BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.commit_seq, NEW.branch_id, 'cluster_run_applied', 'cluster_run', CAST(r.run_id AS TEXT),
         json_object('collection', r.collection, 'clusters', r.cluster_count, 'members', r.member_count,
                     'unclustered', r.unclustered_count, 'previous_run', NEW.previous_run),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.commit_seq)
  FROM cluster_runs AS r WHERE r.run_id = NEW.active_run;
END;
CREATE TRIGGER feed_cluster_run_next AFTER UPDATE ON cluster_state BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.commit_seq, NEW.branch_id, 'cluster_run_applied', 'cluster_run', CAST(r.run_id AS TEXT),
         json_object('collection', r.collection, 'clusters', r.cluster_count, 'members', r.member_count,
                     'unclustered', r.unclustered_count, 'previous_run', NEW.previous_run),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.commit_seq)
  FROM cluster_runs AS r WHERE r.run_id = NEW.active_run;
END;
CREATE TRIGGER feed_cluster_job_ended_at_once AFTER INSERT ON cluster_jobs WHEN NEW.finished_at IS NOT NULL BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  VALUES (NULL, NEW.branch_id, 'cluster_job_finished', 'cluster_job', NEW.job_id,
          json_object('collection', NEW.collection, 'kind', NEW.kind, 'state', NEW.state, 'run', NEW.run_id,
                      'error', NEW.error, 'statistics', json(NEW.statistics)), NEW.finished_at);
END;
CREATE TRIGGER feed_cluster_job_ended AFTER UPDATE ON cluster_jobs WHEN NEW.finished_at IS NOT NULL BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  VALUES (NULL, NEW.branch_id, 'cluster_job_finished', 'cluster_job', NEW.job_id,
          json_object('collection', NEW.collection, 'kind', NEW.kind, 'state', NEW.state, 'run', NEW.run_id,
                      'error', NEW.error, 'statistics', json(NEW.statistics)), NEW.finished_at);
END;
