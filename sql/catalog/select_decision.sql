-- name:   catalog/select_decision
-- reads:  a policy decision
-- params: $1 id
SELECT id, delivery, activation, destination, covers, allowed, violations FROM decisions WHERE id = $1;
