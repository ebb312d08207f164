-- name:   ingest/insert_quarantine
-- writes: the batch's rejected rows, one row per reason, from the JSON Lines file that validation wrote
-- params: $1 batch; .Dataset, .File
INSERT INTO {{ident .Dataset}}.quarantine BY NAME
SELECT $1::VARCHAR AS batch, line, coalesce(byte_offset, 0) AS byte_offset, reason.code AS code, coalesce(reason.field, '') AS field,
  coalesce(reason.detail, '') AS detail, from_base64(raw) AS raw
FROM (
  SELECT line, "offset" AS byte_offset, raw, unnest(reasons) AS reason
  FROM read_json({{text .File}}, format = 'newline_delimited', maximum_object_size = 4194304, columns = {
    'line': 'BIGINT', 'offset': 'BIGINT', 'raw': 'VARCHAR', 'reasons': 'STRUCT(code VARCHAR, field VARCHAR, detail VARCHAR)[]'})
);
