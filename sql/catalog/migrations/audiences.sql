-- name:   catalog/migrations/audiences
-- writes: an audience's members by namespace, and who changed which object of the workspace when
-- params: none
ALTER TABLE memberships ADD COLUMN namespaces TEXT NOT NULL DEFAULT '[]';
CREATE TABLE object_changes (
  version TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, actor TEXT NOT NULL, changed_at TEXT NOT NULL,
  PRIMARY KEY (version, kind, name)
);
