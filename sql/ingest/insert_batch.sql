-- name:   ingest/insert_batch
-- writes: the record of a batch; its number is its place in the order of loads
-- params: $1 id, $2 source, $3 file, $4 sha256, $5 status, $6 read, $7 accepted, $8 rejected, $9 created, $10 updated,
--         $11 superseded, $12 instant, $13 business date or null, $14 outdated, $15 unchanged, $16 removed, $17 merge mode,
--         $18 lifetime in days, $19 columns that the file carries, JSON, $20 its header, JSON or null,
--         $21 the batch that it replays, or empty; .Dataset
INSERT INTO {{ident .Dataset}}.batches BY NAME
SELECT $1::VARCHAR AS id, $2::VARCHAR AS source, $3::VARCHAR AS file, $4::VARCHAR AS sha256, $5::VARCHAR AS status,
  $6::BIGINT AS read, $7::BIGINT AS accepted, $8::BIGINT AS rejected, $9::BIGINT AS created, $10::BIGINT AS updated,
  $11::BIGINT AS superseded, $12::TIMESTAMPTZ AS loaded_at, $13::DATE AS business_date, $14::BIGINT AS outdated,
  $15::BIGINT AS unchanged, $16::BIGINT AS removed, $17::VARCHAR AS merge, $18::INTEGER AS lifetime_days,
  from_json($19::VARCHAR, '["VARCHAR"]') AS columns, from_json($20::VARCHAR, '["VARCHAR"]') AS header, $21::VARCHAR AS replay_of,
  (SELECT coalesce(max(sequence), 0) + 1 FROM {{ident .Dataset}}.batches) AS sequence;
