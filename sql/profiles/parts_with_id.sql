-- name:   profiles/parts_with_id
-- reads:  parts
-- params: $1 partner id; .Parts [path]
-- grain:  one row per part that accepted a row of the id
SELECT DISTINCT filename FROM read_parquet([{{range $i, $p := .Parts}}{{if $i}}, {{end}}{{text $p}}{{end}}], filename = true, union_by_name = true)
WHERE __partner_id = $1::VARCHAR AND __reasons IS NULL;
