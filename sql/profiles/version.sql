-- name:   profiles/version
-- reads:  batches
-- params: none; .Dataset
-- grain:  one row: a digest of the loaded batches, the dataset's version
SELECT coalesce(md5(string_agg(id, ' ' ORDER BY sequence)), '') FROM {{ident .Dataset}}.batches WHERE status = 'loaded';
