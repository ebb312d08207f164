-- name:   export/write_standings
-- reads:  standings, told
-- writes: a part with what the destination is told by this delivery, and what it was told before of audiences that are not in this one:
--         they may come back
-- params: none; .Audiences [{Audience}], .AsOf, .Part
COPY (
  SELECT audience, partner_id, expired_since FROM standings
  UNION ALL
  SELECT audience, partner_id, expired_since FROM told
  WHERE audience NOT IN ({{range $i, $a := .Audiences}}{{if $i}}, {{end}}{{text $a.Audience}}{{end}})
    AND coalesce(expired_since > {{text .AsOf}}::TIMESTAMPTZ - INTERVAL 30 DAY, true)
  ORDER BY audience, partner_id
) TO {{text .Part}} (FORMAT parquet, COMPRESSION zstd);
