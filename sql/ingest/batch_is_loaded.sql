-- name:   ingest/batch_is_loaded
-- reads:  whether a batch's rows are profiles
-- params: $1 batch; .Dataset
SELECT count(*) > 0 FROM {{ident .Dataset}}.batches WHERE id = $1::VARCHAR AND status = 'loaded';
