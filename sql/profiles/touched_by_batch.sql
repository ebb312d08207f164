-- name:   profiles/touched_by_batch
-- writes: a temporary table with the ids that parts touched
-- params: none; .Parts [path]
CREATE OR REPLACE TEMP TABLE touched AS
SELECT DISTINCT __partner_id AS partner_id FROM read_parquet([{{range $i, $p := .Parts}}{{if $i}}, {{end}}{{text $p}}{{end}}]) WHERE __reasons IS NULL;
