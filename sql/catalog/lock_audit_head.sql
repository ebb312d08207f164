-- name:   catalog/lock_audit_head
-- reads:  the head of the audit chain, held until the transaction ends: records are appended one after the other
-- params: none
UPDATE audit_head SET number = number WHERE id = 1 RETURNING number, hash;
