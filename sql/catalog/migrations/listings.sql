-- name:   catalog/migrations/listings
-- writes: which files each run on a source has dealt with, in which of its looks, and an index for what was loaded since
-- params: none
CREATE TABLE sync_files (
  run TEXT NOT NULL, batch TEXT NOT NULL, look INTEGER NOT NULL,
  PRIMARY KEY (run, batch)
);
CREATE INDEX batches_recorded ON batches (dataset, recorded_at);
