-- name:   catalog/latest_memberships
-- reads:  the newest membership of every audience, leaving evaluations that failed for it, and one evaluation, out
-- params: $1 the evaluation to leave out, or empty
-- grain:  one row per audience
SELECT m.evaluation, e.as_of, m.audience, m.part, m.realized, m.existing, m.exited, m.error, m.definition, m.namespaces, e.published_at
FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation
WHERE m.error = '' AND m.part <> '' AND e.id <> $1 AND NOT EXISTS (
  SELECT 1 FROM memberships AS n JOIN evaluations AS f ON f.id = n.evaluation
  WHERE n.audience = m.audience AND n.error = '' AND n.part <> '' AND f.id <> $1 AND (f.as_of, f.id) > (e.as_of, e.id))
ORDER BY m.audience;
