-- name:   ingest/winners
-- writes: a temporary table with the line that counts for each id: the last one in the file (EC-18), and
--         what the store already knows of the id
-- params: none; .Dataset, .Part
CREATE OR REPLACE TEMP TABLE winners AS
SELECT w.partner_id, w.line, p._created AS created, p._created_batch AS created_batch
FROM (
  SELECT __partner_id AS partner_id, max(__line) AS line
  FROM read_parquet({{text .Part}}) WHERE __reasons IS NULL GROUP BY __partner_id
) AS w
LEFT JOIN {{ident .Dataset}}.profiles AS p USING (partner_id);
