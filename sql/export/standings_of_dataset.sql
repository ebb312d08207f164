-- name:   export/standings_of_dataset
-- reads:  standings, and the fragments of a namespace
-- params: none; .Dataset, .Datasets (all of the namespace), .Relation (see profiles/relation)
-- grain:  one row: how many standings are of partner ids that have a fragment in the dataset that has not expired, or in no dataset
SELECT count(*) FROM standings AS s
WHERE s.partner_id IN (SELECT partner_id FROM {{ident .Dataset}}.profiles WHERE _expires > {{text .Relation.AsOf}}::TIMESTAMPTZ)
  {{- range $i, $d := .Datasets}}
  {{if $i}}AND{{else}}OR{{end}} s.partner_id NOT IN (SELECT partner_id FROM {{ident $d}}.profiles WHERE _expires > {{text $.Relation.AsOf}}::TIMESTAMPTZ)
  {{- end}};
