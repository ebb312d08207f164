{{- /*
-- name:   profiles/relation
-- reads:  the fragments of one namespace, as profiles: a part of other statements
-- params: .Namespace, .AsOf (profiles that have expired by then are left out, PF-9), .Columns [{Path}], .Fragments
--         [{Dataset Columns [SQL]}], one for each dataset, with as many columns
-- grain:  one row per partner id; of several fragments, attribute by attribute, the value that is not null and was ingested last
*/ -}}
{{- if eq (len .Fragments) 1}}
{{- with index .Fragments 0}}
SELECT partner_id, _modified, _created, _batch
  {{- range $i, $c := $.Columns}}, {{index (index $.Fragments 0).Columns $i}} AS {{ident $c.Path}}{{end}}
FROM {{ident .Dataset}}.profiles AS f WHERE f._expires > {{text $.AsOf}}::TIMESTAMPTZ
{{- end}}
{{- else}}
SELECT partner_id, max(_modified) AS _modified, min(_created) AS _created, arg_max(_batch, _order) AS _batch
  {{- range .Columns}}, arg_max({{ident .Path}}, _order) AS {{ident .Path}}{{end}}
FROM (
  {{- range $n, $f := .Fragments}}{{if $n}}
  UNION ALL{{end}}
  SELECT partner_id, _modified, _created, _batch, epoch_us(_modified) * 1024 + {{$n}} AS _order
    {{- range $i, $c := $.Columns}}, {{index $f.Columns $i}} AS {{ident $c.Path}}{{end}}
  FROM {{ident $f.Dataset}}.profiles AS f WHERE f._expires > {{text $.AsOf}}::TIMESTAMPTZ
  {{- end}}
) GROUP BY partner_id
{{- end}}
