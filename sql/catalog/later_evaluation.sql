-- name:   catalog/later_evaluation
-- reads:  the latest published evaluation of an audience that is later than another one, which is not published
-- params: $1 audience, $2 id of the other one, $3 as of when it is
-- grain:  no row or one
SELECT e.id, e.as_of FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation
WHERE m.audience = $1 AND m.error = '' AND (e.as_of, e.id) > ($3, $2) AND NOT EXISTS (SELECT 1 FROM evaluations WHERE id = $2)
ORDER BY e.as_of DESC, e.id DESC LIMIT 1;
