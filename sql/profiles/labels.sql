-- name:   profiles/labels
-- reads:  the labels that the dataset's loaded batches were taken under, of batches that still have profiles; of an upsert
--         all batches count, because their values stay when a later batch does not carry the column
-- params: none; .Dataset
-- grain:  one row per path
SELECT l.path, array_to_string(list_sort(list_distinct(flatten(list(l.labels)))), '|')
FROM {{ident .Dataset}}.batch_labels AS l
WHERE l.batch IN (SELECT DISTINCT _batch FROM {{ident .Dataset}}.profiles)
  OR l.batch IN (SELECT id FROM {{ident .Dataset}}.batches WHERE status = 'loaded'
    AND sequence <= (SELECT coalesce(max(sequence), 0) FROM {{ident .Dataset}}.batches WHERE status = 'loaded' AND merge = 'upsert'))
GROUP BY l.path ORDER BY l.path;
