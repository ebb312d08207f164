-- name:   schema/dataset
-- writes: the tables of one dataset's file; adds columns that the schema has gained (additive change, SC-27)
-- params: none; .Dataset, .Columns [{Path Type}]
-- There are no keys and no indexes on profiles: that ids are unique is asserted after each load.
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.profiles (
  partner_id VARCHAR NOT NULL,
  bucket UTINYINT NOT NULL,
  _batch VARCHAR NOT NULL,
  _line BIGINT NOT NULL,
  _created TIMESTAMPTZ NOT NULL,
  _created_batch VARCHAR NOT NULL,
  _modified TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.batches (
  id VARCHAR NOT NULL, source VARCHAR NOT NULL, file VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, status VARCHAR NOT NULL,
  read BIGINT NOT NULL, accepted BIGINT NOT NULL, rejected BIGINT NOT NULL,
  created BIGINT NOT NULL, updated BIGINT NOT NULL, superseded BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
);
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS business_date DATE;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS outdated BIGINT DEFAULT 0;
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.batch_labels (batch VARCHAR NOT NULL, path VARCHAR NOT NULL, labels VARCHAR[] NOT NULL);
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.quarantine (
  batch VARCHAR NOT NULL, line BIGINT NOT NULL, code VARCHAR NOT NULL, field VARCHAR NOT NULL, detail VARCHAR NOT NULL, raw BLOB NOT NULL
);
{{- range .Columns}}
ALTER TABLE {{ident $.Dataset}}.profiles ADD COLUMN IF NOT EXISTS {{ident .Path}} {{.Type}};
{{- end}}
