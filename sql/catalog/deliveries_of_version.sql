-- name:   catalog/deliveries_of_version
-- reads:  deliveries of which the rows, or who is among them, were taken from a dataset while a batch was in it
-- params: $1 dataset, $2 the first version with the batch, $3 the first one without it again, or 0
-- grain:  one row per delivery, the latest first, with how many files were read back
SELECT v.id, v.activation, v.destination, v.status, v.began_at, COUNT(r.file)
FROM derivations AS d JOIN deliveries AS v ON v.id = d.subject LEFT JOIN receipts AS r ON r.delivery = v.id
LEFT JOIN derivations AS e ON e.subject = v.evaluation AND e.dataset = d.dataset
WHERE d.dataset = $1 AND (d.version >= $2 AND ($3 = 0 OR d.first_version < $3) OR e.version >= $2 AND ($3 = 0 OR e.first_version < $3))
GROUP BY v.id, v.activation, v.destination, v.status, v.began_at ORDER BY v.began_at DESC, v.id DESC;
