-- name:   schema/engine_is_current
-- reads:  which version of DuckDB wrote the digests of the dataset's profiles
-- params: none; .Dataset
SELECT count(*) > 0 FROM {{ident .Dataset}}.engine WHERE version = version();
