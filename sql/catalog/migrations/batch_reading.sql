-- name:   catalog/migrations/batch_reading
-- writes: a digest of how a batch's file was read; what was loaded before has none, and is taken for read as files are now
-- params: none
ALTER TABLE batches ADD COLUMN reading TEXT NOT NULL DEFAULT '';
