-- name:   profiles/remade_table
-- writes: an empty temporary table like profiles, in which some of them are made again
-- params: none; .Dataset
CREATE OR REPLACE TEMP TABLE remade AS SELECT * FROM {{ident .Dataset}}.profiles LIMIT 0;
