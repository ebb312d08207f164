-- name:   catalog/see_file
-- writes: the ledger's entry of a file version; one that is there already stays as it is
-- params: $1 source, $2 path, $3 version, $4 size, $5 modified, $6 etag, $7 batch, $8 instant
INSERT INTO files VALUES ($1, $2, $3, $4, $5, $6, $7, 'seen', '', '', $8, $8) ON CONFLICT (source, path, version) DO NOTHING;
