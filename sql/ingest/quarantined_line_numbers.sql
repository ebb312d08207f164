-- name:   ingest/quarantined_line_numbers
-- reads:  the lines of a batch that were rejected and that no replay has accepted
-- params: $1 batch; .Dataset
-- grain:  one row per line, in order
SELECT DISTINCT line FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR AND resolved_by = '' ORDER BY line;
