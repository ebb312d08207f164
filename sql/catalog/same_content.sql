-- name:   catalog/same_content
-- reads:  the batch that loaded the same bytes into a dataset before
-- params: $1 dataset, $2 sha256, $3 the batch that asks
SELECT id FROM batches WHERE dataset = $1 AND sha256 = $2 AND status = 'loaded' AND id <> $3 ORDER BY recorded_at LIMIT 1;
