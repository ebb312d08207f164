-- name:   catalog/stale_parts
-- reads:  membership parts older than an audience's current and previous ones
-- params: none
SELECT part FROM (
  SELECT m.part, row_number() OVER (PARTITION BY m.audience ORDER BY e.as_of DESC, e.id DESC) AS age
  FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation WHERE m.part <> ''
) AS parts WHERE age > 2;
