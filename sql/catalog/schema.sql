-- name:   catalog/schema
-- writes: the catalog's tables, in the subset of SQL that SQLite and PostgreSQL share; instants are RFC 3339 text in UTC
-- params: none
CREATE TABLE IF NOT EXISTS files (
  source TEXT NOT NULL, path TEXT NOT NULL, version TEXT NOT NULL, size BIGINT NOT NULL, modified TEXT NOT NULL, etag TEXT NOT NULL,
  batch TEXT NOT NULL, state TEXT NOT NULL, sha256 TEXT NOT NULL, detail TEXT NOT NULL, seen_at TEXT NOT NULL, changed_at TEXT NOT NULL,
  PRIMARY KEY (source, path, version)
);
CREATE UNIQUE INDEX IF NOT EXISTS files_batch ON files (batch);
CREATE TABLE IF NOT EXISTS workspaces (
  version TEXT NOT NULL PRIMARY KEY, previous TEXT NOT NULL, digest TEXT NOT NULL, files TEXT NOT NULL, applied_by TEXT NOT NULL, applied_at TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS workspaces_previous ON workspaces (previous);
CREATE TABLE IF NOT EXISTS audit (
  run TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, actor TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, recorded_at TEXT NOT NULL,
  PRIMARY KEY (run, action, object)
);
CREATE TABLE IF NOT EXISTS batches (
  id TEXT NOT NULL PRIMARY KEY, source TEXT NOT NULL, dataset TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, status TEXT NOT NULL,
  read_rows BIGINT NOT NULL, accepted BIGINT NOT NULL, rejected BIGINT NOT NULL,
  created BIGINT NOT NULL, updated BIGINT NOT NULL, superseded BIGINT NOT NULL, recorded_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_content ON batches (dataset, sha256);
CREATE TABLE IF NOT EXISTS evaluations (id TEXT NOT NULL PRIMARY KEY, as_of TEXT NOT NULL, published_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memberships (
  evaluation TEXT NOT NULL, audience TEXT NOT NULL, part TEXT NOT NULL,
  realized BIGINT NOT NULL, existing BIGINT NOT NULL, exited BIGINT NOT NULL, error TEXT NOT NULL, definition TEXT NOT NULL,
  PRIMARY KEY (evaluation, audience)
);
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT NOT NULL PRIMARY KEY, delivery TEXT NOT NULL, activation TEXT NOT NULL, destination TEXT NOT NULL, covers TEXT NOT NULL,
  allowed BOOLEAN NOT NULL, violations TEXT NOT NULL, decided_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT NOT NULL PRIMARY KEY, activation TEXT NOT NULL, destination TEXT NOT NULL, evaluation TEXT NOT NULL, decision TEXT NOT NULL,
  status TEXT NOT NULL, began_at TEXT NOT NULL, ended_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS receipts (
  delivery TEXT NOT NULL, file TEXT NOT NULL, row_count BIGINT NOT NULL, bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, read_back_at TEXT NOT NULL,
  PRIMARY KEY (delivery, file)
);
