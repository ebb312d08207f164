-- name:   catalog/same_content
-- reads:  the batch that loaded the same bytes into a dataset before, unless a later version of its file was loaded:
--         then the same bytes are news again
-- params: $1 dataset, $2 sha256, $3 the batch that asks
SELECT b.id FROM batches AS b WHERE b.dataset = $1 AND b.sha256 = $2 AND b.status = 'loaded' AND b.id <> $3
  AND NOT EXISTS (SELECT 1 FROM batches AS later WHERE later.dataset = b.dataset AND later.source = b.source AND later.file = b.file
    AND later.status = 'loaded' AND later.recorded_at > b.recorded_at)
ORDER BY b.recorded_at LIMIT 1;
