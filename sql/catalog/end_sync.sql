-- name:   catalog/end_sync
-- writes: what a run on a source came to
-- params: $1 run, $2 instant, $3 outcome, $4 files, $5 rows, $6 detail
UPDATE syncs SET ended_at = $2, outcome = $3, files = $4, row_count = $5, detail = $6 WHERE run = $1;
