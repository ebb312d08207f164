-- name:   catalog/set_file_expected
-- writes: what a manifest promises of a file version
-- params: $1 batch, $2 JSON
UPDATE files SET expected = $2 WHERE batch = $1;
