-- name:   ingest/insert_winners
-- writes: the batch's profiles; the row replaces the row (PF-19 without upsert)
-- params: $1 batch, $2 instant of the load, $3 lifetime in days; .Profiles, .Part, .Columns [{Path}]
INSERT INTO {{.Profiles}} BY NAME
SELECT w.partner_id, (md5_number_lower(w.partner_id) % 64)::UTINYINT AS bucket,
  $1::VARCHAR AS _batch, s.__line AS _line,
  coalesce(w.created, $2::TIMESTAMPTZ) AS _created, coalesce(w.created_batch, $1::VARCHAR) AS _created_batch, $2::TIMESTAMPTZ AS _modified,
  $2::TIMESTAMPTZ + to_days($3::INTEGER) AS _expires, w.digest AS _digest
  {{- range .Columns}}, s.{{ident .Path}}{{end}}
FROM read_parquet({{text .Part}}) AS s JOIN winners AS w ON s.__line = w.line
WHERE NOT w.outdated;
