-- name:   catalog/record_object_change
-- writes: that an object of the workspace was changed
-- params: $1 version, $2 kind, $3 name, $4 action, $5 who, $6 instant
INSERT INTO object_changes (version, kind, name, action, actor, changed_at) VALUES ($1, $2, $3, $4, $5, $6);
