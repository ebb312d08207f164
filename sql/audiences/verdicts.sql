-- name:   audiences/verdicts
-- reads:  one profile
-- params: the conditions' values, in order, then the partner id; .Relation, .Conditions [SQL]
-- grain:  one row, when there is such a profile: each condition's verdict, null for unknown
SELECT {{range $i, $c := .Conditions}}{{if $i}}, {{end}}({{$c}})::BOOLEAN AS v{{$i}}{{end}}
FROM ({{template "profiles/relation" .Relation}}
) AS p WHERE p.partner_id = ?::VARCHAR;
