-- name:   catalog/set_file_state
-- writes: what became of a file version
-- params: $1 batch, $2 state, $3 sha256 (empty keeps the known one), $4 detail, $5 instant
UPDATE files SET state = $2, sha256 = CASE WHEN $3 = '' THEN sha256 ELSE $3 END, detail = $4, changed_at = $5 WHERE batch = $1;
