-- name:   profiles/version
-- reads:  batches
-- params: none; .Dataset
-- grain:  one row: how many batches have been loaded, the dataset's version
SELECT count(*) FROM {{ident .Dataset}}.batches WHERE status = 'loaded';
