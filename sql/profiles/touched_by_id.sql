-- name:   profiles/touched_by_id
-- writes: a temporary table with one id
-- params: $1 partner id
CREATE OR REPLACE TEMP TABLE touched AS SELECT $1::VARCHAR AS partner_id;
