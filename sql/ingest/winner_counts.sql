-- name:   ingest/winner_counts
-- reads:  winners
-- params: none
-- grain:  one row: ids new to the dataset, ids that it knew
SELECT count(*) FILTER (created IS NULL), count(*) FILTER (created IS NOT NULL) FROM winners;
