-- name:   catalog/migrations/ledger
-- writes: what the ledger knows beyond a listing: business dates, what manifests promise, each file's story, the
--         runs on a source with their windows, and since when a source has been
-- params: none
ALTER TABLE files ADD COLUMN business_date TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN expected TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN outdated BIGINT NOT NULL DEFAULT 0;
CREATE TABLE file_events (
  batch TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, recorded_at TEXT NOT NULL,
  PRIMARY KEY (batch, number)
);
CREATE TABLE source_starts (source TEXT NOT NULL PRIMARY KEY, started_at TEXT NOT NULL);
CREATE TABLE syncs (
  run TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL, source TEXT NOT NULL, window_from TEXT NOT NULL, window_to TEXT NOT NULL,
  business_date TEXT NOT NULL, began_at TEXT NOT NULL, ended_at TEXT NOT NULL, outcome TEXT NOT NULL, files BIGINT NOT NULL, row_count BIGINT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX syncs_source ON syncs (source, began_at);
