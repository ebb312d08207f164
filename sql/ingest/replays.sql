-- name:   ingest/replays
-- reads:  the loaded batches that replay rows of a batch
-- params: $1 batch; .Dataset
SELECT id FROM {{ident .Dataset}}.batches WHERE replay_of = $1::VARCHAR AND status = 'loaded' ORDER BY sequence;
