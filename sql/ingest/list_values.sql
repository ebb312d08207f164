-- name:   ingest/list_values
-- reads:  the ids of a suppression list, also those that have expired
-- params: $1 bucket of ids; .Dataset
-- grain:  one row per id of the bucket, in no order
SELECT partner_id FROM {{ident .Dataset}}.profiles WHERE bucket = $1::UTINYINT;
