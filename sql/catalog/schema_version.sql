-- name:   catalog/schema_version
-- reads:  how many migrations the catalog has had
-- params: none
SELECT coalesce(max(version), 0) FROM migrations;
