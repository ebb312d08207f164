-- name:   ingest/insert_batch
-- writes: the record of a batch
-- params: $1 id, $2 source, $3 file, $4 sha256, $5 status, $6 read, $7 accepted, $8 rejected, $9 created, $10 updated,
--         $11 superseded, $12 instant, $13 business date or null, $14 outdated; .Dataset
INSERT INTO {{ident .Dataset}}.batches VALUES ($1::VARCHAR, $2::VARCHAR, $3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::BIGINT,
  $7::BIGINT, $8::BIGINT, $9::BIGINT, $10::BIGINT, $11::BIGINT, $12::TIMESTAMPTZ, $13::DATE, $14::BIGINT);
