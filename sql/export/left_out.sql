-- name:   export/left_out
-- reads:  the profiles of one namespace, and membership parts
-- params: the conditions' values, in order; .Relation (see profiles/relation), .Memberships [path], .Condition (SQL of
--         what must hold of each)
-- grain:  one row: members that are left out
SELECT count(DISTINCT p.partner_id) FROM ({{template "profiles/relation" .Relation}}
) AS p
SEMI JOIN (
  {{- range $i, $m := .Memberships}}{{if $i}}
  UNION ALL{{end}}
  SELECT partner_id FROM read_parquet({{text $m}}) WHERE namespace = {{text $.Relation.Namespace}} AND status IN ('realized', 'existing')
  {{- end}}
) AS m ON m.partner_id = p.partner_id
WHERE NOT coalesce({{.Condition}}, false);
