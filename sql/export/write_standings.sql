-- name:   export/write_standings
-- reads:  standings
-- writes: a part with what the destination is told by this delivery
-- params: none; .Part
COPY (SELECT audience, partner_id, expired_since FROM standings ORDER BY audience, partner_id) TO {{text .Part}} (FORMAT parquet, COMPRESSION zstd);
