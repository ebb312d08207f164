-- name:   catalog/see_file
-- writes: the ledger's entry of a file version; one that is there already stays as it is
-- params: $1 source, $2 path, $3 version, $4 size, $5 modified, $6 etag, $7 batch, $8 instant, $9 business date
INSERT INTO files (source, path, version, size, modified, etag, batch, state, sha256, detail, seen_at, changed_at, business_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'seen', '', '', $8, $8, $9) ON CONFLICT (source, path, version) DO NOTHING;
