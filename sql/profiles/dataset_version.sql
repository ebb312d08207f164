-- name:   profiles/dataset_version
-- reads:  the versions of a dataset
-- params: none; .Dataset
-- grain:  one row: the version, 0 for a dataset that nothing was loaded into, how many batches are in it, and the one loaded last
SELECT coalesce(max(greatest(loaded, coalesce(deleted, 0))), 0), count(*) FILTER (deleted IS NULL),
  coalesce(arg_max(batch, loaded) FILTER (deleted IS NULL), '')
FROM {{ident .Dataset}}.batch_versions;
