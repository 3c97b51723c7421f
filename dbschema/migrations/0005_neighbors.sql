-- Who was heard to hand floods to whom: what the server last published, so that it knows the mesh at once after a start.
-- Not versioned: figures of the present, like counters.
CREATE TABLE neighbor_edges(
  node_a     INTEGER NOT NULL REFERENCES identity(key),  -- its public key is the lower of the two
  node_b     INTEGER NOT NULL REFERENCES identity(key),
  a_to_b     REAL NOT NULL CHECK(a_to_b >= 0),           -- floods that b received from a: an expected number
  b_to_a     REAL NOT NULL CHECK(b_to_a >= 0),
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL CHECK(last_seen >= first_seen),
  observers  INTEGER NOT NULL CHECK(observers >= 0),
  snr_db     REAL,
  PRIMARY KEY(node_a, node_b),
  CHECK(node_a <> node_b)
) STRICT, WITHOUT ROWID;
