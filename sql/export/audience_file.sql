-- name:   export/audience_file
-- reads:  the members who leave
-- writes: CSV without a header into a FIFO; the order makes two runs byte-identical
-- params: as export/leaving; .Columns [{Path}] to write, .Delimiter, .Fifo
COPY (
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}p.{{ident $c.Path}}{{end}}
  {{template "export/leaving" .}}
  ORDER BY p.partner_id
) TO {{text .Fifo}} (FORMAT csv, HEADER false, DELIMITER {{text .Delimiter}}, QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false);
