-- name:   ingest/forget_rejected_lines
-- writes: removes what quarantine says of lines that a replay has rejected again, for other reasons perhaps
-- params: $1 batch that had rejected them; .Dataset, .File
DELETE FROM {{ident .Dataset}}.quarantine WHERE batch = $1::VARCHAR AND line IN (
  SELECT line FROM read_json({{text .File}}, format = 'newline_delimited', maximum_object_size = 4194304, columns = {'line': 'BIGINT'}));
