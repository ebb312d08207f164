-- name:   profiles/deletion_members
-- reads:  changes, one membership part
-- params: $1 namespace; .Part
-- grain:  one row: how many profiles that change are in the audience
SELECT count(*) FROM read_parquet({{text .Part}})
WHERE namespace = $1::VARCHAR AND status <> 'exited' AND partner_id IN (SELECT partner_id FROM changes WHERE change IN ('removed', 'reverted', 'restored'));
