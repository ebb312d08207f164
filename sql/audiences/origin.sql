-- name:   audiences/origin
-- reads:  what a membership part says that it was made from
-- params: none; .Part
-- grain:  one row
SELECT decode(value) FROM parquet_kv_metadata({{text .Part}}) WHERE decode(key) = 'origin';
