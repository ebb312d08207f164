-- name:   export/changes_file
-- reads:  standings, what is known to have arrived and what may have since, and the profiles of one namespace
-- writes: CSV without a header into a FIFO: who is in another standing with one audience than what has arrived told, or than what may have
--         arrived, with it as the last column, active or expired (DE-35); the order makes two runs byte-identical. Who has expired leaves
--         with the identity alone.
-- params: none; .Relation (see profiles/relation), .Columns [{Path Identity}] to write, .Audience, .Arrived (path or empty),
--         .Uncertain [path], .Delimiter, .Fifo
COPY (
  SELECT {{range $i, $c := .Columns}}{{if $c.Identity}}s.partner_id{{else}}CASE WHEN s.active THEN p.{{ident $c.Path}} END{{end}} AS c{{$i}}, {{end}}
    CASE WHEN s.active THEN 'active' ELSE 'expired' END AS standing
  FROM (SELECT partner_id, expired_since IS NULL AS active FROM standings WHERE audience = {{text .Audience}}) AS s
  {{- if .Arrived}}
  ANTI JOIN (
    SELECT partner_id, bool_and(active) AS active
    FROM (
      SELECT partner_id, expired_since IS NULL AS active, true AS arrived FROM read_parquet({{text .Arrived}}) WHERE audience = {{text .Audience}}
      {{- range .Uncertain}}
      UNION ALL SELECT partner_id, expired_since IS NULL, false FROM read_parquet({{text .}}) WHERE audience = {{text $.Audience}}
      {{- end}}
    ) GROUP BY partner_id HAVING bool_or(arrived) AND bool_and(active) = bool_or(active)
  ) AS a ON a.partner_id = s.partner_id AND a.active = s.active
  {{- end}}
  LEFT JOIN ({{template "profiles/relation" .Relation}}
  ) AS p ON p.partner_id = s.partner_id
  ORDER BY s.partner_id
) TO {{text .Fifo}} (FORMAT csv, HEADER false, DELIMITER {{text .Delimiter}}, QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false);
