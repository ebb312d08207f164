-- name:   profiles/fragment_origin
-- reads:  where a dataset's fragment of an id comes from, unless it has expired
-- params: $1 partner id, $2 instant; .Dataset
SELECT _created_batch, _batch, _line, _created, _modified, _expires FROM {{ident .Dataset}}.profiles
WHERE partner_id = $1::VARCHAR AND _expires > $2::TIMESTAMPTZ;
