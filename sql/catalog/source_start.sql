-- name:   catalog/source_start
-- reads:  since when a source has been
-- params: $1 source
SELECT started_at FROM source_starts WHERE source = $1;
