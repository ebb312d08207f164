-- name:   catalog/version_table
-- writes: the table that counts the migrations that a catalog has had
-- params: none
CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL);
