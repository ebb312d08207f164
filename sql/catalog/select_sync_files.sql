-- name:   catalog/select_sync_files
-- reads:  the batches that a run has dealt with, and in which of its looks
-- params: $1 run
-- grain:  one row per batch
SELECT batch, look FROM sync_files WHERE run = $1;
