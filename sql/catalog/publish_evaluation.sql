-- name:   catalog/publish_evaluation
-- writes: the row that makes an evaluation's memberships the current ones
-- params: $1 id, $2 as of, $3 instant
INSERT INTO evaluations VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING;
