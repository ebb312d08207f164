-- name:   catalog/select_sync
-- reads:  a run on a source
-- params: $1 run
SELECT run, workflow, source, window_from, window_to, business_date, began_at, ended_at, outcome, files, row_count, detail, up_to FROM syncs WHERE run = $1;
