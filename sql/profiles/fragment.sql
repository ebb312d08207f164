-- name:   profiles/fragment
-- reads:  one fragment: what a dataset holds of an id
-- params: $1 partner id; .Dataset
SELECT * FROM {{ident .Dataset}}.profiles WHERE partner_id = $1::VARCHAR;
