-- name:   ingest/insert_merged
-- writes: the profiles that an upsert leaves
-- params: none; .Profiles
INSERT INTO {{.Profiles}} BY NAME SELECT * FROM merged;
