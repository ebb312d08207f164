-- name:   catalog/count_files
-- reads:  how many file versions the ledger holds of a source
-- params: $1 source
SELECT count(*) FROM files WHERE source = $1;
