-- name:   catalog/migrations/batches
-- writes: what a load leaves as it was and what it removes
-- params: none
ALTER TABLE batches ADD COLUMN unchanged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
