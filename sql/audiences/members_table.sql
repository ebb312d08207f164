-- name:   audiences/members_table
-- writes: an empty temporary table for the members of one audience; rank orders those of a limited one
-- params: none; .Rank (its type)
CREATE OR REPLACE TEMP TABLE members (namespace VARCHAR NOT NULL, partner_id VARCHAR NOT NULL, rank {{.Rank}});
