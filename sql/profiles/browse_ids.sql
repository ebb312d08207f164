-- name:   profiles/browse_ids
-- reads:  the profiles of one namespace
-- params: the rule's values, in order; then the id to go on behind, how many; .Relation (see profiles/relation, with the
--         rule's columns), .Condition (generated from the checked rule, or true)
-- grain:  one row per profile, by partner id: the ids alone, so that attributes are read for the page only
SELECT partner_id FROM ({{template "profiles/relation" .Relation}}
) AS p WHERE {{.Condition}} AND partner_id > ?::VARCHAR ORDER BY partner_id LIMIT ?::BIGINT;
