-- name:   catalog/evaluation_memberships
-- reads:  the results of one published evaluation
-- params: $1 evaluation
-- grain:  one row per audience
SELECT m.evaluation, e.as_of, m.audience, m.part, m.realized, m.existing, m.exited, m.error, m.definition, m.namespaces, e.published_at
FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation WHERE e.id = $1 ORDER BY m.audience;
