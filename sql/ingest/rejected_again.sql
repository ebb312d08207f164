-- name:   ingest/rejected_again
-- writes: a temporary table with the rows in quarantine that a replay has rejected again, and whether they were replayed as
--         they had come
-- params: $1 the batch that had rejected them; .Dataset, .File (JSON Lines that validation wrote)
CREATE OR REPLACE TEMP TABLE rejected_again AS
SELECT q.batch, q.line, q.byte_offset, q.raw, f.reasons, q.raw = from_base64(f.raw) AS as_it_came
FROM (
  SELECT batch, line, any_value(byte_offset) AS byte_offset, any_value(raw) AS raw
  FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR GROUP BY batch, line
) AS q
JOIN read_json({{text .File}}, format = 'newline_delimited', maximum_object_size = 4194304, columns = {
    'line': 'BIGINT', 'raw': 'VARCHAR', 'reasons': 'STRUCT(code VARCHAR, field VARCHAR, detail VARCHAR)[]'}) AS f USING (line);
