-- name:   ingest/rejection_counts
-- reads:  quarantine, without the rows that a replay has accepted
-- params: $1 batch; .Dataset
-- grain:  one row per code, field and detail, the most frequent first
SELECT code, field, detail, count(*) AS rows FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR AND resolved_by = ''
GROUP BY code, field, detail ORDER BY rows DESC, code, field, detail;
