-- name:   schema/set_engine
-- writes: that this version of DuckDB wrote the digests of the dataset's profiles
-- params: none; .Dataset
DELETE FROM {{ident .Dataset}}.engine;
INSERT INTO {{ident .Dataset}}.engine SELECT version();
