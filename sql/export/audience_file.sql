-- name:   export/audience_file
-- reads:  the profiles of one namespace, one membership part per audience
-- writes: CSV without a header into a FIFO; the order makes two runs byte-identical
-- params: the consent rules' values, in order; .Relation (see profiles/relation), .Columns [{Path}] to write, .Condition (SQL of the
--         consent rules, or true), .Memberships [path], .Delimiter, .Fifo
COPY (
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}p.{{ident $c.Path}}{{end}}
  FROM ({{template "profiles/relation" .Relation}}
  ) AS p
  {{- range $i, $m := .Memberships}}
  LEFT JOIN read_parquet({{text $m}}) AS m{{$i}} ON m{{$i}}.partner_id = p.partner_id AND m{{$i}}.namespace = {{text $.Relation.Namespace}}
  {{- end}}
  WHERE ({{range $i, $m := .Memberships}}{{if $i}} OR {{end}}m{{$i}}.status IN ('realized', 'existing'){{end}})
    AND {{.Condition}}
  ORDER BY p.partner_id
) TO {{text .Fifo}} (FORMAT csv, HEADER false, DELIMITER {{text .Delimiter}}, QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false);
