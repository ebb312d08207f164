-- name:   catalog/audit_head
-- reads:  the head of the audit chain
-- params: none
SELECT number, hash FROM audit_head WHERE id = 1;
