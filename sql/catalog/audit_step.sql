-- name:   catalog/audit_step
-- reads:  whether a step is in the audit already
-- params: $1 run, $2 action, $3 kind of object, $4 object, $5 outcome
SELECT number FROM audit WHERE run = $1 AND action = $2 AND kind = $3 AND object = $4 AND outcome = $5;
