-- name:   ingest/quarantined_line_numbers
-- reads:  the lines of a batch that were rejected, and the batch that has accepted each since, or empty
-- params: $1 batch; .Dataset
-- grain:  one row per line, in order
SELECT line, any_value(resolved_by) FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR GROUP BY line ORDER BY line;
