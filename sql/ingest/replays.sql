-- name:   ingest/replays
-- reads:  the loaded batches that have accepted rows of a batch
-- params: $1 batch; .Dataset
SELECT id FROM {{ident .Dataset}}.batches WHERE replay_of = $1::VARCHAR AND status = 'loaded' AND accepted > 0 ORDER BY sequence;
