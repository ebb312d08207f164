-- name:   catalog/migrations/departures
-- writes: when a delivery may have let rows of a contract arrive
-- params: none
CREATE TABLE departures (delivery TEXT NOT NULL, contract TEXT NOT NULL, left_at TEXT NOT NULL, PRIMARY KEY (delivery, contract));
