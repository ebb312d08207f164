-- name:   catalog/migrations/audit_chain
-- writes: the audit record as a chain, and its head; what was recorded before is then put into it
-- params: none
ALTER TABLE audit RENAME TO audit_unchained;
CREATE TABLE audit (
  number BIGINT NOT NULL PRIMARY KEY, run TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL, actor TEXT NOT NULL,
  outcome TEXT NOT NULL, detail TEXT NOT NULL, before_digest TEXT NOT NULL, after_digest TEXT NOT NULL, recorded_at TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_step ON audit (run, action, kind, object, outcome);
CREATE INDEX audit_recorded ON audit (recorded_at);
CREATE TABLE audit_head (id INTEGER NOT NULL PRIMARY KEY, number BIGINT NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_head VALUES (1, 0, '');
