-- name:   catalog/select_audit
-- reads:  the newest audit records
-- params: $1 how many
SELECT run, action, object, actor, outcome, detail, recorded_at FROM audit ORDER BY recorded_at DESC, run DESC LIMIT $1;
