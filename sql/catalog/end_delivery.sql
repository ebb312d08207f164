-- name:   catalog/end_delivery
-- writes: how a delivery ended
-- params: $1 id, $2 status, $3 instant
UPDATE deliveries SET status = $2, ended_at = $3 WHERE id = $1;
