-- name:   audiences/members_page
-- reads:  a membership part
-- params: $1 namespace, or empty for all; $2 status, or empty for those that are in the audience; $3 and $4 namespace and
--         partner id to go on behind; $5 how many; .Part
-- grain:  one row per member, by namespace and partner id
SELECT namespace, partner_id, status, since, last_qualified FROM read_parquet({{text .Part}})
WHERE ($1::VARCHAR = '' OR namespace = $1::VARCHAR) AND (status = $2::VARCHAR OR $2::VARCHAR = '' AND status <> 'exited')
  AND (namespace > $3::VARCHAR OR namespace = $3::VARCHAR AND partner_id > $4::VARCHAR)
ORDER BY namespace, partner_id LIMIT $5::BIGINT;
