-- name:   profiles/browse_rows
-- reads:  some profiles of one namespace, with their attributes
-- params: the least and the greatest id (they narrow the scan, which a list of ids does not), then the ids; .Relation
--         (see profiles/relation), .IDs (a list as long as there are ids)
-- grain:  one row per profile, by partner id
SELECT * FROM ({{template "profiles/relation" .Relation}}
) AS p WHERE partner_id BETWEEN ?::VARCHAR AND ?::VARCHAR AND partner_id IN ({{range $i, $_ := .IDs}}{{if $i}}, {{end}}?::VARCHAR{{end}})
ORDER BY partner_id;
