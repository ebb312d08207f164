-- name:   audiences/insert_members
-- reads:  profiles of one dataset
-- params: the rule's values, in order; .Dataset, .Namespace, .Condition (generated from the checked rule)
INSERT INTO members SELECT {{text .Namespace}}, partner_id FROM {{ident .Dataset}}.profiles AS p WHERE {{.Condition}};
