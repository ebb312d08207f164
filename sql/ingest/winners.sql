-- name:   ingest/winners
-- writes: a temporary table with the line that counts for each id: the last one in the file (EC-18), what the store
--         already knows of the id, and whether that is of a later business date than the batch's
-- params: $1 the batch's business date or null; .Dataset, .Part
CREATE OR REPLACE TEMP TABLE winners AS
SELECT w.partner_id, w.line, p._created AS created, p._created_batch AS created_batch,
  coalesce(b.business_date > $1::DATE, false) AS outdated
FROM (
  SELECT __partner_id AS partner_id, max(__line) AS line
  FROM read_parquet({{text .Part}}) WHERE __reasons IS NULL GROUP BY __partner_id
) AS w
LEFT JOIN {{ident .Dataset}}.profiles AS p USING (partner_id)
LEFT JOIN {{ident .Dataset}}.batches AS b ON b.id = p._batch;
