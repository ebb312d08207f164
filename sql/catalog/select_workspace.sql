-- name:   catalog/select_workspace
-- reads:  the files of a version
-- params: $1 version
SELECT files FROM workspaces WHERE version = $1;
