-- name:   catalog/select_file_events
-- reads:  a file version's story, in order
-- params: $1 batch
SELECT state, detail, recorded_at FROM file_events WHERE batch = $1 ORDER BY number;
