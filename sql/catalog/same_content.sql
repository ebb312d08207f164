-- name:   catalog/same_content
-- reads:  the batch that loaded the same bytes into a dataset before, for the same business date, unless anything else
--         was loaded into it since: then the same bytes are news again, for they may take a change back
-- params: $1 dataset, $2 sha256, $3 the batch that asks
SELECT b.id FROM batches AS b WHERE b.dataset = $1 AND b.sha256 = $2 AND b.status = 'loaded' AND b.id <> $3
  AND coalesce((SELECT business_date FROM files WHERE batch = b.id), '') = coalesce((SELECT business_date FROM files WHERE batch = $3), '')
  AND NOT EXISTS (SELECT 1 FROM batches AS later WHERE later.dataset = b.dataset AND later.id <> $3
    AND later.status = 'loaded' AND later.recorded_at > b.recorded_at)
ORDER BY b.recorded_at LIMIT 1;
