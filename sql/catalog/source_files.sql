-- name:   catalog/source_files
-- reads:  the ledger's entries of a source, the latest first
-- params: $1 source
SELECT source, path, size, modified, etag, batch, state, sha256, detail, seen_at, changed_at, business_date, expected FROM files WHERE source = $1
ORDER BY modified DESC, path, batch;
