-- name:   catalog/set_batch_status
-- writes: what has become of a batch
-- params: $1 id, $2 status
UPDATE batches SET status = $2 WHERE id = $1;
