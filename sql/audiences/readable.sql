-- name:   audiences/readable
-- reads:  whether a membership part can be read
-- params: none; .Part
SELECT count(*) FROM read_parquet({{text .Part}}) WHERE namespace IS NULL;
