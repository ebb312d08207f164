-- name:   catalog/migrations/unchained_audit
-- reads:  the audit records of catalogs from before the chain, the earliest first
-- params: none
SELECT run, action, object, actor, outcome, detail, recorded_at FROM audit_unchained ORDER BY recorded_at, run, action, object;
