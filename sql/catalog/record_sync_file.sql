-- name:   catalog/record_sync_file
-- writes: that a run has dealt with a batch
-- params: $1 run, $2 batch, $3 look
INSERT INTO sync_files VALUES ($1, $2, $3) ON CONFLICT (run, batch) DO NOTHING;
