{{- /*
-- name:   audiences/found
-- reads:  the members of one audience: a part of other statements
-- params: .Scanned [{Namespace Table Word Bit}], by namespace; empty when they are in the temporary table members
-- grain:  one row per identity; of a scan in the order of namespace and id
*/ -}}
{{- range $i, $s := .Scanned}}{{if $i}}
UNION ALL {{end}}SELECT {{text $s.Namespace}} AS namespace, partner_id FROM {{$s.Table}} WHERE {{$s.Word}} & {{$s.Bit}}::UBIGINT <> 0
{{- else}}SELECT namespace, partner_id FROM members{{end}}
