-- name:   catalog/select_receipts
-- reads:  a delivery's receipts
-- params: $1 delivery
SELECT file, row_count, bytes, sha256 FROM receipts WHERE delivery = $1 ORDER BY file;
