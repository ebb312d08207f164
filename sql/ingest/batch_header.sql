-- name:   ingest/batch_header
-- reads:  the columns of a batch's file, and whether the dataset knows it
-- params: $1 batch; .Dataset
SELECT header FROM {{ident .Dataset}}.batches WHERE id = $1::VARCHAR AND status <> 'deleted';
