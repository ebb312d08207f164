-- name:   catalog/record_workspace
-- writes: a version of the workspace, applied on top of the previous one; that each has one successor keeps two
--         people from applying over each other
-- params: $1 version, $2 previous version or empty, $3 digest, $4 files (JSON), $5 who, $6 instant
INSERT INTO workspaces VALUES ($1, $2, $3, $4, $5, $6);
