-- name:   profiles/deletion_counts
-- reads:  changes, quarantine
-- params: $1 the batch that is deleted; .Dataset
-- grain:  one row
SELECT count(*) FILTER (change = 'removed'), count(*) FILTER (change = 'reverted'), count(*) FILTER (change = 'restored'), count(*) FILTER (change = 'kept'),
  (SELECT count(DISTINCT line) FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR)
FROM changes;
