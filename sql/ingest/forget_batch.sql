-- name:   ingest/forget_batch
-- writes: removes what an earlier attempt recorded of the batch
-- params: none; .Dataset, .Batch
DELETE FROM {{ident .Dataset}}.quarantine WHERE batch = {{text .Batch}};
DELETE FROM {{ident .Dataset}}.batch_labels WHERE batch = {{text .Batch}};
DELETE FROM {{ident .Dataset}}.batches WHERE id = {{text .Batch}};
