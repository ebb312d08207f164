-- name:   ingest/replayable_rows
-- reads:  the rejected rows of a batch that no replay has accepted; of one that was too large only its beginning is kept, and nothing of
--         one that was suppressed, so that they cannot be read again
-- params: $1 batch; .Dataset
-- grain:  one row per line, in order
SELECT line, any_value(raw) FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR AND resolved_by = ''
GROUP BY line HAVING count(*) FILTER (code IN ('PROSPECT-SIZE', 'PROSPECT-SUPPRESSED')) = 0 ORDER BY line;
