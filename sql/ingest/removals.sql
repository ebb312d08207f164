-- name:   ingest/removals
-- writes: a temporary table with the ids that a full file no longer holds. A row that was refused is in the file all the
--         same; what is of a later business date than the file stays
-- params: $1 the batch's business date or null; .Dataset, .Profiles, .Part
CREATE OR REPLACE TEMP TABLE removals AS
SELECT p.partner_id FROM {{.Profiles}} AS p
ANTI JOIN read_parquet({{text .Part}}) AS s ON s.__partner_id = p.partner_id
LEFT JOIN {{ident .Dataset}}.batches AS b ON b.id = p._batch
WHERE NOT coalesce(b.business_date > $1::DATE, false);
