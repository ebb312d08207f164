-- name:   profiles/assert_unique
-- reads:  profiles
-- params: $1 batch; .Dataset
-- grain:  one row: profiles, distinct ids (they must be equal: no key would see to it), profiles of the batch
SELECT count(*), count(DISTINCT partner_id), count(*) FILTER (_batch = $1::VARCHAR) FROM {{ident .Dataset}}.profiles;
