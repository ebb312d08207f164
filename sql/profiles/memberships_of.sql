-- name:   profiles/memberships_of
-- reads:  membership parts
-- params: $1 namespace, $2 partner id; .Parts [{Audience Path}]
-- grain:  one row per audience that the profile is in or has left, by name
{{range $i, $p := .Parts}}{{if $i}}
UNION ALL {{end}}SELECT {{text $p.Audience}} AS audience, status, since FROM read_parquet({{text $p.Path}}) WHERE namespace = $1::VARCHAR AND partner_id = $2::VARCHAR
{{- end}}
ORDER BY audience;
