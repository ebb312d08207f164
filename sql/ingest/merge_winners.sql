-- name:   ingest/merge_winners
-- writes: a temporary table with the profiles that an upsert leaves: the columns that the file carries from its line, the
--         others as they were (PF-19)
-- params: $1 batch, $2 instant of the load, $3 lifetime in days; .Profiles, .Part, .Columns [{Path}] that the file carries,
--         .Others [{Path}], .Digest (SQL over all columns)
CREATE OR REPLACE TEMP TABLE merged AS
SELECT *, {{.Digest}} AS _digest FROM (
  SELECT w.partner_id, (md5_number_lower(w.partner_id) % 64)::UTINYINT AS bucket, $1::VARCHAR AS _batch, s.__line AS _line,
    coalesce(w.created, $2::TIMESTAMPTZ) AS _created, coalesce(w.created_batch, $1::VARCHAR) AS _created_batch, $2::TIMESTAMPTZ AS _modified,
    $2::TIMESTAMPTZ + to_days($3::INTEGER) AS _expires
    {{- range .Columns}}, s.{{ident .Path}}{{end}}
    {{- range .Others}}, p.{{ident .Path}}{{end}}
  FROM read_parquet({{text .Part}}) AS s JOIN winners AS w ON s.__line = w.line LEFT JOIN {{.Profiles}} AS p ON p.partner_id = w.partner_id
  WHERE NOT w.outdated
);
