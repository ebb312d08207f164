-- name:   ingest/part_rejections
-- reads:  a batch's part
-- params: none; .Part
-- grain:  one row per rejected record, in line order
SELECT __line, __reasons FROM read_parquet({{text .Part}}) WHERE __reasons IS NOT NULL ORDER BY __line;
