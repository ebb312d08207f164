-- name:   audiences/overlap
-- reads:  membership parts
-- params: none; .Parts [{Audience Path}], in the order of names
-- grain:  one row per pair of audiences, and per audience with itself: prospects that are in both
WITH members AS (
  {{- range $i, $p := .Parts}}{{if $i}}
  UNION ALL{{end}}
  SELECT {{text $p.Audience}} AS audience, namespace, partner_id FROM read_parquet({{text $p.Path}}) WHERE status <> 'exited'
  {{- end}}
)
SELECT a.audience, b.audience, count(*) FROM members AS a JOIN members AS b USING (namespace, partner_id)
WHERE a.audience <= b.audience GROUP BY ALL ORDER BY ALL;
