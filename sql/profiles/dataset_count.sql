-- name:   profiles/dataset_count
-- reads:  profiles, quarantine, batches
-- params: $1 instant; .Dataset
-- grain:  one row: fragments that have not expired, all fragments, rejected rows that are not resolved, the last load
SELECT count(*) FILTER (_expires > $1::TIMESTAMPTZ), count(*),
  (SELECT count(*) FROM (SELECT DISTINCT batch, line FROM {{ident .Dataset}}.quarantine WHERE resolved_by = '')),
  (SELECT max(loaded_at) FROM {{ident .Dataset}}.batches WHERE status = 'loaded')
FROM {{ident .Dataset}}.profiles;
