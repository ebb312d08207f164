-- name:   ingest/winners
-- writes: a temporary table with the line that counts for each id: the last one in the file (EC-18), what the profiles
--         already know of the id, and whether that is of a later business date than the batch's. Rows that are replayed
--         are as old as the batch that had rejected them: what was loaded since stays, and so does a later line of the same
--         file
-- params: $1 the batch's business date or null, $2 the batch that it replays, or empty; .Dataset, .Profiles (the table that the batch is applied to), .Part,
--         .Touched (only ids in the temporary table touched)
CREATE OR REPLACE TEMP TABLE winners AS
SELECT w.partner_id, w.line, w.digest, p._created AS created, p._created_batch AS created_batch, p._digest AS known_digest,
  coalesce(b.business_date > $1::DATE, false)
    OR $2::VARCHAR <> '' AND coalesce(
      CASE WHEN $2::VARCHAR IN (b.id, b.replay_of) THEN p._line > w.line
           ELSE b.sequence > (SELECT sequence FROM {{ident .Dataset}}.batches WHERE id = $2::VARCHAR) END, false) AS outdated
FROM (
  SELECT __partner_id AS partner_id, max(__line) AS line, arg_max(__digest, __line) AS digest
  FROM read_parquet({{text .Part}}) WHERE __reasons IS NULL
    {{- if .Touched}} AND __partner_id IN (SELECT partner_id FROM touched){{end}}
  GROUP BY __partner_id
) AS w
LEFT JOIN {{.Profiles}} AS p USING (partner_id)
LEFT JOIN {{ident .Dataset}}.batches AS b ON b.id = p._batch;
