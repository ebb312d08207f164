-- name:   catalog/migrations/listings
-- writes: which files each run on a source has dealt with, in which of its looks, whether a run for a
--         day is for earlier days too, and an index for what was loaded since
-- params: none
CREATE TABLE sync_files (
  run TEXT NOT NULL, batch TEXT NOT NULL, look INTEGER NOT NULL,
  PRIMARY KEY (run, batch)
);
CREATE INDEX batches_recorded ON batches (dataset, recorded_at);
ALTER TABLE syncs ADD COLUMN up_to BOOLEAN NOT NULL DEFAULT FALSE;
