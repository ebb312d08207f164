-- name:   ingest/write_part
-- reads:  clean records from a FIFO, all columns text, in the framer's dialect
-- writes: the batch's part: typed columns, __line, and __reasons (null for an accepted row)
-- params: none; .Fifo, .Part, .Digest (SQL over the columns), .Columns [{Path Type Cast Checks [{Failed Reason}]}]
--         __found are reasons that were found before, one to a line
-- grain:  one row per well-framed record. TRY_CAST alone is too lenient ('12.6' would be 13): each cast is guarded.
COPY (
  SELECT __line, __partner_id,
    {{- range $i, $c := .Columns}}
    t{{$i}} AS {{ident .Path}},
    {{- end}}
    nullif(concat_ws(chr(10), __found
      {{- range .Columns}}{{range .Checks}},
      CASE WHEN {{.Failed}} THEN {{text .Reason}} END
      {{- end}}{{end}}), '') AS __reasons,
    {{.Digest}} AS __digest
  FROM (
    SELECT __line, __found{{range $i, $c := .Columns}}, c{{$i}}, {{$c.Cast}} AS t{{$i}}{{end}}, {{.Identity}} AS __partner_id
    FROM read_csv({{text .Fifo}}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n',
      nullstr = '', allow_quoted_nulls = false, max_line_size = 4194304, parallel = false,
      columns = {'__line': 'BIGINT', '__found': 'VARCHAR'{{range $i, $c := .Columns}}, 'c{{$i}}': 'VARCHAR'{{end}} })
  )
) TO {{text .Part}} (FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false);
