-- name:   audiences/membership_counts
-- reads:  a membership part
-- params: none; .Part
SELECT count(*) FILTER (status = 'realized'), count(*) FILTER (status = 'existing'), count(*) FILTER (status = 'exited')
FROM read_parquet({{text .Part}});
