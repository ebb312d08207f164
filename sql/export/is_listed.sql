{{- /*
-- name:   export/is_listed
-- reads:  the ids of a suppression list, also those that have expired: a condition on a relation p, true for those that are on the list
-- params: .Dataset, .Held (the column of p that is held against the ids; a missing value is on no list)
*/ -}}
coalesce(p.{{ident .Held}} IN (SELECT partner_id FROM {{ident .Dataset}}.profiles), false)
