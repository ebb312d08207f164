-- name:   catalog/start_source
-- writes: since when a source has been; what is known stays
-- params: $1 source, $2 instant
INSERT INTO source_starts VALUES ($1, $2) ON CONFLICT (source) DO NOTHING;
