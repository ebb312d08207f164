-- name:   catalog/evaluations_of_version
-- reads:  memberships of evaluations that were made of a dataset while a batch was in it
-- params: $1 dataset, $2 the first version with the batch, $3 the first one without it again, or 0
-- grain:  one row per evaluation and audience, in the order of instants
SELECT m.audience, m.evaluation, e.as_of, m.namespaces
FROM derivations AS d JOIN evaluations AS e ON e.id = d.subject JOIN memberships AS m ON m.evaluation = e.id
WHERE d.dataset = $1 AND d.version >= $2 AND ($3 = 0 OR d.first_version < $3) AND m.error = '' ORDER BY e.as_of, e.id, m.audience;
