-- name:   schema/refresh_digests
-- writes: the digests and expiry of profiles that another version of DuckDB wrote, whose hash may be another one
-- params: $1 lifetime in days; .Dataset, .Digest (SQL over the columns)
UPDATE {{ident .Dataset}}.profiles SET _digest = {{.Digest}}, _expires = coalesce(_expires, _modified + to_days($1::INTEGER));
