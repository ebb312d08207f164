-- name:   catalog/source_syncs
-- reads:  the runs on a source, the latest first
-- params: $1 source, $2 how many
SELECT run, workflow, source, window_from, window_to, business_date, began_at, ended_at, outcome, files, row_count, detail, up_to FROM syncs
WHERE source = $1 ORDER BY began_at DESC, run LIMIT $2;
