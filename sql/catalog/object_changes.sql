-- name:   catalog/object_changes
-- reads:  who changed objects of a kind, and when
-- params: $1 kind
-- grain:  one row per change, the earliest first
SELECT version, name, action, actor, changed_at FROM object_changes WHERE kind = $1 ORDER BY changed_at, version, name;
