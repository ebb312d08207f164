-- name:   audiences/limit_members
-- writes: members, of which only the first so many stay
-- params: $1 seed, $2 how many; .Descending
CREATE OR REPLACE TEMP TABLE members AS
SELECT namespace, partner_id, rank FROM members
ORDER BY rank {{if .Descending}}DESC{{else}}ASC{{end}} NULLS LAST, md5(concat_ws(chr(31), $1::VARCHAR, namespace, partner_id)), namespace, partner_id LIMIT $2::BIGINT;
