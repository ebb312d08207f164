-- name:   profiles/replace_remade
-- writes: the profiles that were made again, in place of what they were
-- params: none; .Dataset
DELETE FROM {{ident .Dataset}}.profiles WHERE partner_id IN (SELECT partner_id FROM touched);
INSERT INTO {{ident .Dataset}}.profiles BY NAME SELECT * FROM remade;
