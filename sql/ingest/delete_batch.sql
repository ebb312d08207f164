-- name:   ingest/delete_batch
-- writes: that a batch is deleted, and nothing more of it than its counts
-- params: none; .Dataset, .Batch, .Deletion (JSON)
DELETE FROM {{ident .Dataset}}.quarantine WHERE batch = {{text .Batch}};
DELETE FROM {{ident .Dataset}}.batch_labels WHERE batch = {{text .Batch}};
UPDATE {{ident .Dataset}}.batches SET status = 'deleted', deletion = {{text .Deletion}} WHERE id = {{text .Batch}};
UPDATE {{ident .Dataset}}.batch_versions SET deleted = (SELECT max(greatest(loaded, coalesce(deleted, 0))) + 1 FROM {{ident .Dataset}}.batch_versions)
WHERE batch = {{text .Batch}} AND deleted IS NULL;
UPDATE {{ident .Dataset}}.quarantine SET resolved_by = '' WHERE resolved_by = {{text .Batch}};
