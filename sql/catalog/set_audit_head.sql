-- name:   catalog/set_audit_head
-- writes: the head of the audit chain
-- params: $1 number, $2 hash of the last record
UPDATE audit_head SET number = $1, hash = $2 WHERE id = 1;
