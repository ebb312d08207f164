-- name:   audiences/dataset_members
-- reads:  members, and which of them a dataset holds a fragment of that has not expired
-- params: $1 namespace, $2 as of; .Dataset, .Scanned (see audiences/found)
SELECT count(*) FROM ({{template "audiences/found" .}}) AS m
SEMI JOIN (SELECT partner_id FROM {{ident .Dataset}}.profiles WHERE _expires > $2::TIMESTAMPTZ) AS f USING (partner_id)
WHERE m.namespace = $1::VARCHAR;
