-- name:   catalog/select_file
-- reads:  the ledger's entry behind a batch
-- params: $1 batch
SELECT source, path, version, size, modified, etag, batch, state, sha256, detail FROM files WHERE batch = $1;
