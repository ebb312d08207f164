-- name:   ingest/quarantine_page
-- reads:  quarantine, batches
-- params: $1 batch, $2 code, $3 field, $4 unresolved or resolved (each empty for all); $5 and $6 batch and line to go on
--         behind (empty: from the start); $7 how many, $8 bytes of records in front of the last one at most; .Dataset
-- grain:  one row per rejected record, in the order of loads and lines, with all of its reasons as [{code field detail}]
WITH page AS (
  SELECT b.sequence, q.batch, q.line FROM {{ident .Dataset}}.quarantine AS q JOIN {{ident .Dataset}}.batches AS b ON b.id = q.batch
  WHERE ($1::VARCHAR = '' OR q.batch = $1::VARCHAR) AND ($2::VARCHAR = '' OR q.code = $2::VARCHAR) AND ($3::VARCHAR = '' OR q.field = $3::VARCHAR)
    AND ($4::VARCHAR = '' OR (q.resolved_by <> '') = ($4::VARCHAR = 'resolved'))
    AND ($5::VARCHAR = '' OR row(b.sequence, q.batch, q.line) > row((SELECT sequence FROM {{ident .Dataset}}.batches WHERE id = $5::VARCHAR), $5::VARCHAR, $6::BIGINT))
  GROUP BY ALL ORDER BY b.sequence, q.batch, q.line LIMIT $7::BIGINT
), sized AS (
  SELECT p.sequence, p.batch, p.line, any_value(octet_length(q.raw)) AS bytes
  FROM page AS p JOIN {{ident .Dataset}}.quarantine AS q ON q.batch = p.batch AND q.line = p.line GROUP BY ALL
), bounded AS (
  SELECT sequence, batch, line FROM sized QUALIFY sum(bytes) OVER (ORDER BY sequence, batch, line) - bytes < $8::BIGINT
)
SELECT p.batch, any_value(b.source) AS source, any_value(b.file) AS file, p.line, any_value(q.byte_offset) AS byte_offset, any_value(q.raw) AS raw,
  list(struct_pack(code := q.code, field := q.field, detail := q.detail) ORDER BY q.rowid) AS reasons,
  any_value(b.header) AS header, any_value(q.resolved_by) AS resolved_by
FROM bounded AS p JOIN {{ident .Dataset}}.quarantine AS q ON q.batch = p.batch AND q.line = p.line JOIN {{ident .Dataset}}.batches AS b ON b.id = p.batch
GROUP BY p.sequence, p.batch, p.line ORDER BY p.sequence, p.batch, p.line;
