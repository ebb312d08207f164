-- name:   catalog/select_file
-- reads:  the ledger's entry behind a batch
-- params: $1 batch
SELECT source, path, size, modified, etag, batch, state, sha256, detail, seen_at, changed_at, business_date, expected FROM files WHERE batch = $1;
