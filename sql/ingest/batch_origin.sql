-- name:   ingest/batch_origin
-- reads:  a batch
-- params: $1 id; .Dataset
SELECT status, source, file, merge, deletion FROM {{ident .Dataset}}.batches WHERE id = $1::VARCHAR;
