-- name:   catalog/began_between
-- reads:  deliveries
-- params: $1 destination, $2 first instant, $3 the first one after, $4 a delivery that does not count
-- grain:  one row: whether another one to the destination began then
SELECT EXISTS (SELECT 1 FROM deliveries WHERE destination = $1 AND began_at >= $2 AND began_at < $3 AND id <> $4);
