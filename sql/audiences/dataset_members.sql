-- name:   audiences/dataset_members
-- reads:  a membership part: those who are in the audience and of whom a dataset holds a fragment that has not expired
-- params: $1 namespace, $2 as of; .Dataset, .Part
SELECT count(*) FROM read_parquet({{text .Part}}) AS m
SEMI JOIN (SELECT partner_id FROM {{ident .Dataset}}.profiles WHERE _expires > $2::TIMESTAMPTZ) AS f USING (partner_id)
WHERE m.namespace = $1::VARCHAR AND m.status <> 'exited';
