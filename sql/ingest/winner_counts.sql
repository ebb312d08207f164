-- name:   ingest/winner_counts
-- reads:  winners
-- params: none
-- grain:  one row: ids new to the dataset, ids that it knew with other values, with the same ones, and those of which it knows something later
SELECT count(*) FILTER (created IS NULL),
  count(*) FILTER (created IS NOT NULL AND NOT outdated AND digest IS DISTINCT FROM known_digest),
  count(*) FILTER (created IS NOT NULL AND NOT outdated AND digest = known_digest),
  count(*) FILTER (outdated)
FROM winners;
