-- name:   catalog/begin_delivery
-- writes: that a delivery is under way; one that is already, by which decision
-- params: $1 id, $2 activation, $3 destination, $4 evaluation, $5 decision, $6 instant
INSERT INTO deliveries VALUES ($1, $2, $3, $4, $5, 'delivering', $6, '')
ON CONFLICT (id) DO UPDATE SET destination = excluded.destination, evaluation = excluded.evaluation, began_at = excluded.began_at, decision = excluded.decision, status = excluded.status, ended_at = ''
WHERE deliveries.status <> 'delivered';
