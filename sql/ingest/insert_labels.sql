-- name:   ingest/insert_labels
-- writes: the labels under which a batch's column was taken
-- params: $1 batch, $2 path, $3 labels joined by '|'; .Dataset
INSERT INTO {{ident .Dataset}}.batch_labels VALUES ($1::VARCHAR, $2::VARCHAR, string_split($3::VARCHAR, '|'));
