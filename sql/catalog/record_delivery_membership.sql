-- name:   catalog/record_delivery_membership
-- writes: which evaluation's membership of an audience a delivery sends
-- params: $1 delivery, $2 audience, $3 evaluation
INSERT INTO delivery_memberships (delivery, audience, evaluation) VALUES ($1, $2, $3) ON CONFLICT (delivery, audience) DO NOTHING;
