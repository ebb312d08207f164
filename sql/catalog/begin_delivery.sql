-- name:   catalog/begin_delivery
-- writes: that a delivery is under way
-- params: $1 id, $2 activation, $3 destination, $4 evaluation, $5 decision, $6 instant
INSERT INTO deliveries VALUES ($1, $2, $3, $4, $5, 'delivering', $6, '') ON CONFLICT (id) DO NOTHING;
