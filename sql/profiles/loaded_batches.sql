-- name:   profiles/loaded_batches
-- reads:  batches
-- params: none; .Dataset
-- grain:  one row per loaded batch, in the order of loads
SELECT id, source, file, loaded_at, business_date, merge, lifetime_days, columns, replay_of
FROM {{ident .Dataset}}.batches WHERE status = 'loaded' ORDER BY sequence;
