-- name:   catalog/audience_memberships
-- reads:  what an audience's evaluations came to
-- params: $1 audience, $2 how many
-- grain:  one row per evaluation, the latest first
SELECT m.evaluation, e.as_of, m.audience, m.part, m.realized, m.existing, m.exited, m.error, m.definition, m.namespaces, e.published_at
FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation WHERE m.audience = $1 ORDER BY e.as_of DESC, e.id DESC LIMIT $2;
