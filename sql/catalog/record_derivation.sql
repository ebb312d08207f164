-- name:   catalog/record_derivation
-- writes: of which versions of a dataset an evaluation or a delivery was made; again replaces it
-- params: $1 evaluation or delivery, $2 dataset, $3 first version, $4 last version, $5 how many batches are in that, $6 the one loaded last
INSERT INTO derivations (subject, dataset, first_version, version, batches, latest) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (subject, dataset) DO UPDATE SET first_version = $3, version = $4, batches = $5, latest = $6;
