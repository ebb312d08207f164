-- name:   ingest/delete_removals
-- writes: removes the profiles that a full file no longer holds
-- params: none; .Profiles
DELETE FROM {{.Profiles}} WHERE partner_id IN (SELECT partner_id FROM removals);
