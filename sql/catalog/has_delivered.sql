-- name:   catalog/has_delivered
-- reads:  receipts
-- params: $1 activation, $2 destination
-- grain:  one row: whether a file of its deliveries there has arrived
SELECT EXISTS (SELECT 1 FROM deliveries AS d JOIN receipts AS r ON r.delivery = d.id WHERE d.activation = $1 AND d.destination = $2);
