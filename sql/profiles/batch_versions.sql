-- name:   profiles/batch_versions
-- reads:  the versions of a dataset in which a batch is or was, the earliest first
-- params: $1 batch; .Dataset
-- grain:  one row per load: the first version with it, and the first without it again, or 0
SELECT loaded, coalesce(deleted, 0) FROM {{ident .Dataset}}.batch_versions WHERE batch = $1::VARCHAR ORDER BY loaded;
