-- name:   catalog/record_decision
-- writes: a policy decision
-- params: $1 id, $2 delivery, $3 activation, $4 destination, $5 covers (digest), $6 allowed, $7 violations (JSON), $8 instant
INSERT INTO decisions VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
