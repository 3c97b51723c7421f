-- Commits that retention must keep answerable, whatever their age.
CREATE TABLE pin(
  name       TEXT PRIMARY KEY CHECK(length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^a-z0-9._-]*'),
  commit_seq INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  actor      TEXT NOT NULL CHECK(length(actor) > 0),
  created_at INTEGER NOT NULL,
  expires_at INTEGER                      -- NULL: until somebody removes it
) STRICT, WITHOUT ROWID;
CREATE INDEX pin_by_commit ON pin(commit_seq);

-- The newest commits of a stream, however many there are of others.
CREATE INDEX commit_log_by_stream ON commit_log(branch_id, stream, commit_seq);

-- The feed names a status as every route does.
DROP TRIGGER feed_capability_opened;
CREATE TRIGGER feed_capability_opened AFTER INSERT ON node_capability BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  SELECT NEW.from_seq, NEW.branch_id, 'capability_changed', 'node', lower(hex(i.public_key)),
         json_object('status', CASE NEW.status WHEN 2 THEN 'confirmed' WHEN 1 THEN 'suspected' ELSE 'unknown' END,
                     'evidence', NEW.evidence, 'max_hash_size', NEW.max_hash_size,
                     'adopted', json(iif(NEW.adopted, 'true', 'false')),
                     'likely_legacy', json(iif(NEW.likely_legacy, 'true', 'false')),
                     'probability', NEW.probability / 100.0),
         (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq)
  FROM identity AS i WHERE i.key = NEW.node_key;
END;

-- What can still be asked for is there.
CREATE TRIGGER node_capability_floor_first BEFORE DELETE ON node_capability
WHEN coalesce(OLD.to_seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'history_floor'), 1)
  AND (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'raise history_floor first'); END;
CREATE TRIGGER switch_readiness_floor_first BEFORE DELETE ON switch_readiness
WHEN coalesce(OLD.to_seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'history_floor'), 1)
  AND (SELECT state FROM branch WHERE branch_id = OLD.branch_id) = 'live'
  BEGIN SELECT RAISE(ABORT, 'raise history_floor first'); END;
CREATE INDEX switch_readiness_from ON switch_readiness(from_seq);
CREATE INDEX switch_readiness_closed ON switch_readiness(to_seq) WHERE to_seq IS NOT NULL;
