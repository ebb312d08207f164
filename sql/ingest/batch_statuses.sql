-- name:   ingest/batch_statuses
-- reads:  batches
-- params: none; .Dataset
-- grain:  one row per status
SELECT status, count(*) FROM {{ident .Dataset}}.batches GROUP BY status ORDER BY status;
