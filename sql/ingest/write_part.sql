-- name:   ingest/write_part
-- reads:  clean records from a FIFO (see filecodec.AppendClean), all columns text. No record spans lines, so that the reader may
--         be the parallel one: it lets go of what it has read, where the other keeps all that comes out of a FIFO
-- writes: the batch's part: typed columns, __line, and __reasons (null for an accepted row)
-- params: none; .Fifo, .Part, .Digest (SQL over the columns), .Columns [{Path JSON Cast Checks [{Failed Reason}]}]; JSON is
--         the form in which the text of a list or map is read, empty for a column with one value.
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
    FROM (
      SELECT __line, unescaped(__escaped, __found) AS __found{{range $i, $c := .Columns}}, {{if .JSON}}from_json(unescaped(__escaped, c{{$i}}), {{text .JSON}}){{else}}unescaped(__escaped, c{{$i}}){{end}} AS c{{$i}}{{end}}
      FROM read_csv({{text .Fifo}}, auto_detect = false, header = false, delim = E'\x1F', quote = '', escape = '', comment = '', new_line = '\n',
        nullstr = '', max_line_size = 4194304, buffer_size = 8388608,
        columns = {'__line': 'BIGINT', '__found': 'VARCHAR', '__escaped': 'BOOLEAN'{{range $i, $c := .Columns}}, 'c{{$i}}': 'VARCHAR'{{end}} })
    )
  )
) TO {{text .Part}} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 30720, ROW_GROUP_SIZE_BYTES '64MB', USE_TMP_FILE false);
