-- name:   profiles/labels
-- reads:  the labels that the dataset's loaded batches were taken under, of batches that still have profiles
-- params: none; .Dataset
-- grain:  one row per path
SELECT l.path, array_to_string(list_sort(list_distinct(flatten(list(l.labels)))), '|')
FROM {{ident .Dataset}}.batch_labels AS l
WHERE l.batch IN (SELECT DISTINCT _batch FROM {{ident .Dataset}}.profiles)
GROUP BY l.path ORDER BY l.path;
