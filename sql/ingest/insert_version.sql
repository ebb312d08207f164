-- name:   ingest/insert_version
-- writes: that a batch is in the dataset from its next version on
-- params: $1 batch; .Dataset
INSERT INTO {{ident .Dataset}}.batch_versions
SELECT $1::VARCHAR, coalesce(max(greatest(loaded, coalesce(deleted, 0))), 0) + 1, NULL FROM {{ident .Dataset}}.batch_versions;
