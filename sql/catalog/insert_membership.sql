-- name:   catalog/insert_membership
-- writes: one audience's result of an evaluation
-- params: $1 evaluation, $2 audience, $3 part, $4 realized, $5 existing, $6 exited, $7 error, $8 digest of the audience's
--         definition, $9 members by namespace (JSON)
INSERT INTO memberships (evaluation, audience, part, realized, existing, exited, error, definition, namespaces)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (evaluation, audience) DO NOTHING;
