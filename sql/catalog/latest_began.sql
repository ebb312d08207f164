-- name:   catalog/latest_began
-- reads:  deliveries
-- params: $1 destination, $2 a delivery that does not count, $3 the first instant that does not
-- grain:  at most one row: when the last other one to the destination began
SELECT began_at FROM deliveries WHERE destination = $1 AND id <> $2 AND began_at < $3 ORDER BY began_at DESC LIMIT 1;
