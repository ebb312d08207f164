-- name:   ingest/winner_counts
-- reads:  winners
-- params: none
-- grain:  one row: ids new to the dataset, ids that it knew, ids of which it knows something later
SELECT count(*) FILTER (created IS NULL), count(*) FILTER (created IS NOT NULL AND NOT outdated), count(*) FILTER (outdated) FROM winners;
