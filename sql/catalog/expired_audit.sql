-- name:   catalog/expired_audit
-- reads:  the last of the audit records at the beginning of the chain that are all older than an instant; none when the first one is not
-- params: $1 instant
SELECT number, hash FROM audit
WHERE number < COALESCE((SELECT MIN(number) FROM audit WHERE recorded_at >= $1), (SELECT number + 1 FROM audit_head WHERE id = 1))
ORDER BY number DESC LIMIT 1;
