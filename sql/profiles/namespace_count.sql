-- name:   profiles/namespace_count
-- reads:  the profiles of one namespace
-- params: none; .Relation (see profiles/relation, without columns)
SELECT count(*) FROM ({{template "profiles/relation" .Relation}}
) AS p;
