-- name:   ingest/part_counts
-- reads:  a batch's part
-- params: none; .Part
SELECT count(*) FILTER (__reasons IS NULL), count(*) FILTER (__reasons IS NOT NULL) FROM read_parquet({{text .Part}});
