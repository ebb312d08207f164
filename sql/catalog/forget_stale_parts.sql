-- name:   catalog/forget_stale_parts
-- writes: that membership parts older than an audience's current and previous ones are gone; their counts stay
-- params: none
UPDATE memberships SET part = '' WHERE part IN (
  SELECT part FROM (
    SELECT m.part, row_number() OVER (PARTITION BY m.audience ORDER BY e.as_of DESC, e.id DESC) AS age
    FROM memberships AS m JOIN evaluations AS e ON e.id = m.evaluation WHERE m.part <> ''
  ) AS parts WHERE age > 2);
