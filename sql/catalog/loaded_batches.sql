-- name:   catalog/loaded_batches
-- reads:  batches
-- params: none
-- grain:  one row per dataset with loaded batches
SELECT dataset, count(*) FROM batches WHERE status = 'loaded' GROUP BY dataset;
