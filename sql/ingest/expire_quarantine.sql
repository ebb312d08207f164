-- name:   ingest/expire_quarantine
-- writes: removes rejected rows of batches that are older than they are kept (BI-12); the batches' counts stay
-- params: $1 instant; .Dataset
DELETE FROM {{ident .Dataset}}.quarantine WHERE batch IN (SELECT id FROM {{ident .Dataset}}.batches WHERE loaded_at < $1::TIMESTAMPTZ);
