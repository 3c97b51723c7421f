-- What a switch to larger hashes would leave of the deliveries, of the whole mesh (region '') and of each region,
-- from one commit to another; the open interval is the present. Never updated but to close it.
CREATE TABLE switch_readiness(
  branch_id INTEGER NOT NULL REFERENCES branch(branch_id),
  region    TEXT NOT NULL,
  from_seq  INTEGER NOT NULL REFERENCES commit_log(commit_seq),
  to_seq    INTEGER REFERENCES commit_log(commit_seq),
  figures   TEXT CHECK(figures IS NULL OR json_valid(figures)),  -- NULL: the region is no longer told apart
  CHECK(to_seq IS NULL OR to_seq > from_seq),
  PRIMARY KEY(branch_id, region, from_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX switch_readiness_now ON switch_readiness(branch_id, region) WHERE to_seq IS NULL;

CREATE TRIGGER switch_readiness_is_frozen BEFORE UPDATE ON switch_readiness
  WHEN OLD.to_seq IS NOT NULL OR NEW.to_seq IS NULL OR OLD.figures IS NOT NEW.figures
    OR OLD.branch_id IS NOT NEW.branch_id OR OLD.region IS NOT NEW.region OR OLD.from_seq IS NOT NEW.from_seq
  BEGIN SELECT RAISE(ABORT, 'an interval only closes'); END;

CREATE TRIGGER feed_readiness_opened AFTER INSERT ON switch_readiness BEGIN
  INSERT INTO change_log(commit_seq, branch_id, kind, entity_kind, entity_id, payload, logged_at)
  VALUES (NEW.from_seq, NEW.branch_id, 'readiness_changed', 'readiness', iif(NEW.region = '', 'mesh', NEW.region),
          coalesce(NEW.figures, 'null'),
          (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq = NEW.from_seq));
END;
