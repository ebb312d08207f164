-- name:   ingest/merged_digests
-- writes: the digests of winners after an upsert, so that they tell whether something has changed
-- params: none
UPDATE winners SET digest = m._digest FROM merged AS m WHERE m.partner_id = winners.partner_id;
