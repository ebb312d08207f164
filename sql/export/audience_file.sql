-- name:   export/audience_file
-- reads:  profiles of the namespace's dataset, one membership part per audience
-- writes: CSV without a header into a FIFO; the order makes two runs byte-identical
-- params: none; .Dataset, .Namespace, .Columns [SQL], .Memberships [path], .StatusColumns (one column per audience
--         with active, expired or empty, DE-23), .Delimiter, .Fifo
COPY (
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{$c}} AS k{{$i}}{{end}}
    {{- if .StatusColumns}}{{range $i, $m := .Memberships}},
    CASE WHEN m{{$i}}.status IN ('realized', 'existing') THEN 'active' WHEN m{{$i}}.status = 'exited' THEN 'expired' END AS s{{$i}}{{end}}{{end}}
  FROM {{ident .Dataset}}.profiles AS p
  {{- range $i, $m := .Memberships}}
  LEFT JOIN read_parquet({{text $m}}) AS m{{$i}} ON m{{$i}}.partner_id = p.partner_id AND m{{$i}}.namespace = {{text $.Namespace}}
  {{- end}}
  WHERE {{range $i, $m := .Memberships}}{{if $i}} OR {{end}}m{{$i}}.status {{if $.StatusColumns}}IS NOT NULL{{else}}IN ('realized', 'existing'){{end}}{{end}}
  ORDER BY p.partner_id
) TO {{text .Fifo}} (FORMAT csv, HEADER false, DELIMITER {{text .Delimiter}}, QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false);
