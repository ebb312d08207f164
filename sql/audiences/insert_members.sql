-- name:   audiences/insert_members
-- reads:  the profiles of one namespace
-- params: the rule's values, in order; .Relation (see profiles/relation), .Condition (generated from the checked rule),
--         .Rank (SQL of what orders a limited audience, or NULL)
INSERT INTO members SELECT {{text .Relation.Namespace}}, partner_id, {{.Rank}} FROM ({{template "profiles/relation" .Relation}}
) AS p WHERE {{.Condition}};
