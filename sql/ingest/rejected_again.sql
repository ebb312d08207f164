-- name:   ingest/rejected_again
-- writes: a temporary table with the rows in quarantine that a replay has rejected again, and whether today's reasons
--         count: of those that were replayed as they had come, and of suppressed ones, of which nothing is kept any more
-- params: $1 the batch that had rejected them; .Dataset, .File (JSON Lines that validation wrote)
CREATE OR REPLACE TEMP TABLE rejected_again AS
SELECT q.batch, q.line, q.byte_offset, CASE WHEN f.suppressed THEN ''::BLOB ELSE q.raw END AS raw, f.reasons, f.suppressed OR q.raw = from_base64(f.raw) AS counts
FROM (
  SELECT batch, line, any_value(byte_offset) AS byte_offset, any_value(raw) AS raw
  FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR GROUP BY batch, line
) AS q
JOIN (
  SELECT *, list_contains(list_transform(reasons, lambda r: r.code), 'PROSPECT-SUPPRESSED') AS suppressed
  FROM read_json({{text .File}}, format = 'newline_delimited', maximum_object_size = 4194304, columns = {
    'line': 'BIGINT', 'raw': 'VARCHAR', 'reasons': 'STRUCT(code VARCHAR, field VARCHAR, detail VARCHAR)[]'})
) AS f USING (line);
