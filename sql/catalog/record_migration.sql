-- name:   catalog/record_migration
-- writes: that a migration is done
-- params: $1 version, $2 instant
INSERT INTO migrations VALUES ($1, $2);
