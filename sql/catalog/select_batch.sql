-- name:   catalog/select_batch
-- reads:  a batch's counts
-- params: $1 id
SELECT status, read_rows, accepted, rejected, created, updated, superseded, outdated, unchanged, removed FROM batches WHERE id = $1;
