-- name:   catalog/audit_chain
-- reads:  the whole audit chain, the first record first
-- params: none
SELECT number, run, action, kind, object, actor, outcome, detail, before_digest, after_digest, recorded_at, previous, hash FROM audit ORDER BY number;
