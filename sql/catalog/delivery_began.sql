-- name:   catalog/delivery_began
-- reads:  when a delivery began, and where it goes
-- params: $1 id
SELECT began_at, destination FROM deliveries WHERE id = $1;
