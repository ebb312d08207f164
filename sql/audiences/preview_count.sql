-- name:   audiences/preview_count
-- reads:  the profiles of one namespace
-- params: the rule's values, in order; .Relation (see profiles/relation), .Condition (generated from the checked rule)
-- grain:  one row: prospects for whom the rule holds
SELECT count(*) FROM ({{template "profiles/relation" .Relation}}
) AS p WHERE {{.Condition}};
