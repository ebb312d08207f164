-- name:   catalog/deliveries_under_way
-- reads:  deliveries of an activation that have not ended, with the runs that began them
-- params: $1 activation, $2 a delivery that does not count
-- grain:  one row per delivery
SELECT d.id, a.run FROM deliveries AS d JOIN audit AS a ON a.kind = 'Delivery' AND a.action = 'begin' AND a.object = d.id
WHERE d.activation = $1 AND d.status = 'delivering' AND d.id <> $2;
