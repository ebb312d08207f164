-- name:   catalog/record_audit
-- writes: who did what; the same step of the same run is one record
-- params: $1 run, $2 action, $3 object, $4 actor, $5 outcome (done or refused), $6 detail, $7 instant
INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run, action, object) DO NOTHING;
