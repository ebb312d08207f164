-- name:   ingest/insert_quarantine
-- writes: the batch's rejected rows, one row per reason, from the JSON Lines file that validation wrote
-- params: $1 batch; .Dataset, .File
INSERT INTO {{ident .Dataset}}.quarantine
SELECT $1::VARCHAR, line, reason.code, coalesce(reason.field, ''), coalesce(reason.detail, ''), from_base64(raw)
FROM (
  SELECT line, raw, unnest(reasons) AS reason
  FROM read_json({{text .File}}, format = 'newline_delimited', maximum_object_size = 4194304, columns = {
    'line': 'BIGINT', 'raw': 'VARCHAR', 'reasons': 'STRUCT(code VARCHAR, field VARCHAR, detail VARCHAR)[]'})
);
