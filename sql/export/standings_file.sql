-- name:   export/standings_file
-- reads:  standings, and the profiles of one namespace
-- writes: CSV without a header into a FIFO, with a column per audience: active, expired or empty (DE-23); the order makes two runs
--         byte-identical. Who is active in no audience leaves with the identity alone.
-- params: none; .Relation (see profiles/relation), .Columns [{Path Identity}] to write, .Audiences [{Audience}], .Delimiter, .Fifo
COPY (
  SELECT {{range $i, $c := .Columns}}{{if $i}}, {{end}}{{if $c.Identity}}s.partner_id{{else}}CASE WHEN s.active THEN p.{{ident $c.Path}} END{{end}} AS c{{$i}}{{end}}
    {{- range $i, $a := .Audiences}}, s.s{{$i}}{{end}}
  FROM (
    SELECT partner_id, bool_or(expired_since IS NULL) AS active
      {{- range $i, $a := .Audiences}},
      max(CASE WHEN expired_since IS NULL THEN 'active' ELSE 'expired' END) FILTER (audience = {{text $a.Audience}}) AS s{{$i}}{{end}}
    FROM standings GROUP BY partner_id
  ) AS s
  LEFT JOIN ({{template "profiles/relation" .Relation}}
  ) AS p ON p.partner_id = s.partner_id
  ORDER BY s.partner_id
) TO {{text .Fifo}} (FORMAT csv, HEADER false, DELIMITER {{text .Delimiter}}, QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false);
