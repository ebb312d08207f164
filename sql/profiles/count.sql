-- name:   profiles/count
-- reads:  profiles
-- params: none; .Dataset
SELECT count(*) FROM {{ident .Dataset}}.profiles;
