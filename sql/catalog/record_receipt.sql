-- name:   catalog/record_receipt
-- writes: the proof that a file arrived, as read back from the destination
-- params: $1 delivery, $2 file, $3 rows, $4 bytes, $5 sha256, $6 instant
INSERT INTO receipts VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (delivery, file) DO UPDATE SET row_count = $3, bytes = $4, sha256 = $5, read_back_at = $6;
