{{- /*
-- name:   export/leaving
-- reads:  the profiles of one namespace, one membership part per audience: the members who leave, as relation p, a part of other statements
-- params: the conditions' values, in order; .Relation (see profiles/relation), .Condition (SQL of what must hold of each), .Memberships [path]
*/ -}}
FROM ({{template "profiles/relation" .Relation}}
  ) AS p
  {{- range $i, $m := .Memberships}}
  LEFT JOIN read_parquet({{text $m}}) AS m{{$i}} ON m{{$i}}.partner_id = p.partner_id AND m{{$i}}.namespace = {{text $.Relation.Namespace}}
  {{- end}}
  WHERE ({{range $i, $m := .Memberships}}{{if $i}} OR {{end}}m{{$i}}.status IN ('realized', 'existing'){{end}})
    AND {{.Condition}}
