-- name:   catalog/migrations/lineage
-- writes: of which versions of datasets an evaluation or a delivery was made
-- params: none
CREATE TABLE derivations (
  subject TEXT NOT NULL, dataset TEXT NOT NULL, first_version BIGINT NOT NULL, version BIGINT NOT NULL, batches BIGINT NOT NULL, latest TEXT NOT NULL,
  PRIMARY KEY (subject, dataset)
);
CREATE INDEX derivations_dataset ON derivations (dataset, version);
