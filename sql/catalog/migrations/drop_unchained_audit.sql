-- name:   catalog/migrations/drop_unchained_audit
-- writes: removes the audit records that are in the chain now
-- params: none
DROP TABLE audit_unchained;
