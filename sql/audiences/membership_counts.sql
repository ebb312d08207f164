-- name:   audiences/membership_counts
-- reads:  a membership part
-- params: none; .Part
-- grain:  one row per namespace: realized, existing and exited members
SELECT namespace, count(*) FILTER (status = 'realized'), count(*) FILTER (status = 'existing'), count(*) FILTER (status = 'exited')
FROM read_parquet({{text .Part}}) GROUP BY namespace ORDER BY namespace;
