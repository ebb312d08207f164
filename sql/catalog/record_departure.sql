-- name:   catalog/record_departure
-- writes: that a delivery is about to let a file with rows of a contract appear; the first one counts
-- params: $1 delivery, $2 contract, $3 instant
INSERT INTO departures (delivery, contract, left_at) VALUES ($1, $2, $3) ON CONFLICT (delivery, contract) DO NOTHING;
