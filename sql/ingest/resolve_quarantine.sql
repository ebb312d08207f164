-- name:   ingest/resolve_quarantine
-- writes: that rejected rows of a batch were accepted in the batch that replays them
-- params: $1 the batch that had rejected them, $2 the batch that accepted them; .Dataset, .Part
UPDATE {{ident .Dataset}}.quarantine SET resolved_by = $2::VARCHAR
WHERE batch = $1::VARCHAR AND line IN (SELECT __line FROM read_parquet({{text .Part}}) WHERE __reasons IS NULL);
