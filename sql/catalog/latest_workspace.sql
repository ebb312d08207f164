-- name:   catalog/latest_workspace
-- reads:  the version that nothing was applied on top of
-- params: none
SELECT w.version, w.digest, w.applied_by, w.applied_at FROM workspaces AS w
WHERE NOT EXISTS (SELECT 1 FROM workspaces AS later WHERE later.previous = w.version);
