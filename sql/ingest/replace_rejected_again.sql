-- name:   ingest/replace_rejected_again
-- writes: today's reasons of rows that were rejected again
-- params: none; .Dataset
DELETE FROM {{ident .Dataset}}.quarantine AS q USING rejected_again AS r WHERE q.batch = r.batch AND q.line = r.line AND r.counts;
INSERT INTO {{ident .Dataset}}.quarantine BY NAME
SELECT batch, line, byte_offset, reason.code AS code, coalesce(reason.field, '') AS field, coalesce(reason.detail, '') AS detail, raw
FROM (SELECT batch, line, byte_offset, raw, unnest(reasons) AS reason FROM rejected_again WHERE counts);
