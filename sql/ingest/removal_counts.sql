-- name:   ingest/removal_counts
-- reads:  removals
-- params: none; .Profiles
-- grain:  one row: ids to remove, profiles before
SELECT (SELECT count(*) FROM removals), (SELECT count(*) FROM {{.Profiles}});
