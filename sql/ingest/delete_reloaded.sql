-- name:   ingest/delete_reloaded
-- writes: removes the profiles that the batch replaces
-- params: none; .Profiles
DELETE FROM {{.Profiles}} WHERE partner_id IN (SELECT partner_id FROM winners WHERE NOT outdated);
