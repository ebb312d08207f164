-- name:   schema/dataset
-- writes: the tables of one dataset's file; adds columns that the schema has gained (additive change, SC-27)
-- params: none; .Dataset, .Columns [{Path Type}]
-- Each load and each deletion of a batch is a version of the dataset, counted from 1: batch_versions says from which to which a
-- batch was in it. A file from before that was counted begins with what it holds.
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
ALTER TABLE {{ident .Dataset}}.profiles ADD COLUMN IF NOT EXISTS _expires TIMESTAMPTZ;
ALTER TABLE {{ident .Dataset}}.profiles ADD COLUMN IF NOT EXISTS _digest UBIGINT;
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.batches (
  id VARCHAR NOT NULL, source VARCHAR NOT NULL, file VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, status VARCHAR NOT NULL,
  read BIGINT NOT NULL, accepted BIGINT NOT NULL, rejected BIGINT NOT NULL,
  created BIGINT NOT NULL, updated BIGINT NOT NULL, superseded BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
);
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS business_date DATE;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS outdated BIGINT DEFAULT 0;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS unchanged BIGINT DEFAULT 0;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS removed BIGINT DEFAULT 0;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS sequence BIGINT DEFAULT 0;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS merge VARCHAR DEFAULT 'replace';
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS lifetime_days INTEGER DEFAULT 25;
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS columns VARCHAR[];
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS header VARCHAR[];
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS replay_of VARCHAR DEFAULT '';
ALTER TABLE {{ident .Dataset}}.batches ADD COLUMN IF NOT EXISTS deletion VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.batch_versions (batch VARCHAR NOT NULL, loaded BIGINT NOT NULL, deleted BIGINT);
INSERT INTO {{ident .Dataset}}.batch_versions SELECT id, row_number() OVER (ORDER BY sequence, loaded_at, id), NULL
FROM {{ident .Dataset}}.batches WHERE status = 'loaded' AND NOT EXISTS (SELECT 1 FROM {{ident .Dataset}}.batch_versions);
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.batch_labels (batch VARCHAR NOT NULL, path VARCHAR NOT NULL, labels VARCHAR[] NOT NULL);
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.quarantine (
  batch VARCHAR NOT NULL, line BIGINT NOT NULL, code VARCHAR NOT NULL, field VARCHAR NOT NULL, detail VARCHAR NOT NULL, raw BLOB NOT NULL
);
ALTER TABLE {{ident .Dataset}}.quarantine ADD COLUMN IF NOT EXISTS byte_offset BIGINT DEFAULT 0;
ALTER TABLE {{ident .Dataset}}.quarantine ADD COLUMN IF NOT EXISTS resolved_by VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS {{ident .Dataset}}.engine (version VARCHAR NOT NULL);
{{- range .Columns}}
ALTER TABLE {{ident $.Dataset}}.profiles ADD COLUMN IF NOT EXISTS {{ident .Path}} {{.Type}};
{{- end}}
