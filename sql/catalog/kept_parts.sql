-- name:   catalog/kept_parts
-- reads:  the membership parts of every published evaluation that are not forgotten
-- params: none
-- grain:  one row per evaluation and part; one row with an empty part for an evaluation that has none
SELECT e.id, coalesce(m.part, '') FROM evaluations AS e LEFT JOIN memberships AS m ON m.evaluation = e.id AND m.part <> '';
