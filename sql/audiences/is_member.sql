{{- /*
-- name:   audiences/is_member
-- reads:  a membership part: a condition on a relation p, true for those that are in the audience
-- params: .Namespace, .Part
*/ -}}
p.partner_id IN (SELECT partner_id FROM read_parquet({{text .Part}}) WHERE namespace = {{text .Namespace}} AND status <> 'exited')
