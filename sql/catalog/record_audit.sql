-- name:   catalog/record_audit
-- writes: one record of the audit chain
-- params: $1 number, $2 run, $3 action, $4 kind of object, $5 object, $6 actor, $7 outcome, $8 detail, $9 digest before, $10 digest after,
--         $11 instant, $12 the previous record's hash, $13 hash
INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
