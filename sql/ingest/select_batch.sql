-- name:   ingest/select_batch
-- reads:  a batch that was loaded before
-- params: $1 id; .Dataset
SELECT status, read, accepted, rejected, created, updated, unchanged, superseded, outdated, removed FROM {{ident .Dataset}}.batches WHERE id = $1::VARCHAR;
