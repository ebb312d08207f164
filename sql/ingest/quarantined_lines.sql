-- name:   ingest/quarantined_lines
-- reads:  quarantine
-- params: $1 batch; .Dataset
SELECT count(DISTINCT line) FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR;
