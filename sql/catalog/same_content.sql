-- name:   catalog/same_content
-- reads:  the batch that loaded the same bytes into a dataset before, read in the same way and for the same business date.
--         Under another name they are a duplicate, until the name that asks has had other content since: then a change is
--         taken back. Under their own name they are a duplicate until anything else was loaded into the dataset.
-- params: $1 dataset, $2 sha256, $3 the batch that asks, $4 a digest of how files are read
SELECT b.id FROM batches AS b
LEFT JOIN files AS known ON known.batch = b.id
LEFT JOIN files AS asking ON asking.batch = $3
WHERE b.dataset = $1 AND b.sha256 = $2 AND b.status = 'loaded' AND b.id <> $3 AND b.reading IN ('', $4)
  AND coalesce(known.business_date, '') = coalesce(asking.business_date, '')
  AND NOT EXISTS (
    SELECT 1 FROM batches AS later LEFT JOIN files AS between_them ON between_them.batch = later.id
    WHERE later.dataset = b.dataset AND later.id <> $3 AND later.status = 'loaded' AND later.recorded_at > b.recorded_at
      AND (known.source = asking.source AND known.path = asking.path
        OR between_them.source = asking.source AND between_them.path = asking.path AND later.sha256 <> $2))
ORDER BY b.recorded_at LIMIT 1;
