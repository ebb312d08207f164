-- name:   catalog/record_batch
-- writes: a batch's counts, as the dataset's file has them; again for the same batch replaces them
-- params: $1 id, $2 source, $3 dataset, $4 file, $5 sha256, $6 status, $7 read, $8 accepted, $9 rejected, $10 created, $11 updated, $12 superseded, $13 instant,
--         $14 outdated, $15 unchanged, $16 removed, $17 a digest of how its file was read
INSERT INTO batches (id, source, dataset, file, sha256, status, read_rows, accepted, rejected, created, updated, superseded, recorded_at, outdated, unchanged, removed, reading)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (id) DO UPDATE SET status = $6, read_rows = $7, accepted = $8, rejected = $9, created = $10, updated = $11, superseded = $12, recorded_at = $13,
  outdated = $14, unchanged = $15, removed = $16, reading = $17;
