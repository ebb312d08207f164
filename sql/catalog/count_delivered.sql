-- name:   catalog/count_delivered
-- reads:  deliveries
-- params: $1 activation, $2 instant
-- grain:  one row: deliveries of the activation that have arrived since then
SELECT COUNT(*) FROM deliveries WHERE activation = $1 AND status = 'delivered' AND ended_at >= $2;
