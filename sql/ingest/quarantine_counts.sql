-- name:   ingest/quarantine_counts
-- reads:  quarantine
-- params: $1 batch; .Dataset
-- grain:  one row: rejected rows that are kept, and those of them that a later batch has accepted
SELECT count(DISTINCT line), count(DISTINCT line) FILTER (resolved_by <> '') FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR;
