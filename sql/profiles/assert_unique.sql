-- name:   profiles/assert_unique
-- reads:  profiles
-- params: none; .Dataset
-- grain:  one row: profiles, distinct ids. They must be equal: there is no key that would see to it.
SELECT count(*), count(DISTINCT partner_id) FROM {{ident .Dataset}}.profiles;
