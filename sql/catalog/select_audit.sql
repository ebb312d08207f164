-- name:   catalog/select_audit
-- reads:  audit records that match, the newest first
-- params: $1 kind, $2 action, $3 actor, $4 outcome, $5 object (each empty: any), $6 and $7 first instant and the one behind the last (empty: open),
--         $8 only records before this number (0: from the newest on), $9 how many
SELECT number, run, action, kind, object, actor, outcome, detail, before_digest, after_digest, recorded_at, previous, hash
FROM audit
WHERE ($1 = '' OR kind = $1) AND ($2 = '' OR action = $2) AND ($3 = '' OR actor = $3) AND ($4 = '' OR outcome = $4) AND ($5 = '' OR object = $5)
  AND ($6 = '' OR recorded_at >= $6) AND ($7 = '' OR recorded_at < $7) AND ($8 = 0 OR number < $8)
ORDER BY number DESC LIMIT $9;
