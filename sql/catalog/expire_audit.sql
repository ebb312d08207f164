-- name:   catalog/expire_audit
-- writes: removes the beginning of the audit chain
-- params: $1 number of the last record to remove
DELETE FROM audit WHERE number <= $1;
