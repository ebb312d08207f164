-- name:   ingest/list_batches
-- reads:  batches
-- params: $1 a batch, or empty for all; $2 status, or empty for all; $3 the batch to go on behind, or empty; $4 how many; $5 a version that it is in, or 0 for
--         all; .Dataset
-- grain:  one row per batch, the newest first
SELECT id, source, file, sha256, coalesce(strftime(business_date, '%Y-%m-%d'), ''), status, read, accepted, rejected, created, updated, unchanged,
  superseded, outdated, removed, merge, replay_of, loaded_at, columns, header
FROM {{ident .Dataset}}.batches
WHERE ($1::VARCHAR = '' OR id = $1::VARCHAR) AND ($2::VARCHAR = '' OR status = $2::VARCHAR)
  AND ($3::VARCHAR = '' OR row(sequence, loaded_at, id) < (SELECT row(sequence, loaded_at, id) FROM {{ident .Dataset}}.batches WHERE id = $3::VARCHAR))
  AND ($5::BIGINT = 0 OR id IN (SELECT batch FROM {{ident .Dataset}}.batch_versions WHERE loaded <= $5::BIGINT AND coalesce(deleted > $5::BIGINT, true)))
ORDER BY sequence DESC, loaded_at DESC, id DESC LIMIT $4::BIGINT;
