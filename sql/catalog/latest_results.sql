-- name:   catalog/latest_results
-- reads:  what every audience's latest evaluation came to, those that failed too
-- params: none
-- grain:  one row per audience
SELECT m.evaluation, e.as_of, m.audience, m.part, m.realized, m.existing, m.exited, m.error, m.definition, m.namespaces, e.published_at
FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation
WHERE NOT EXISTS (
  SELECT 1 FROM memberships AS n JOIN evaluations AS f ON f.id = n.evaluation WHERE n.audience = m.audience AND (f.as_of, f.id) > (e.as_of, e.id))
ORDER BY m.audience;
