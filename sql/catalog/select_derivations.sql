-- name:   catalog/select_derivations
-- reads:  of which versions of datasets an evaluation or a delivery was made
-- params: $1 evaluation or delivery
-- grain:  one row per dataset
SELECT dataset, first_version, version, batches, latest FROM derivations WHERE subject = $1 ORDER BY dataset;
