-- name:   export/standings
-- reads:  told, the profiles of one namespace, one membership part per audience
-- writes: temporary table standings: members of whom all conditions hold are active; whom the destination has as active and who is
--         that no more has expired, whatever the reason, and is told so for 30 days, at least once (DE-23, GR-44)
-- params: the conditions' values, in order; .Relation (see profiles/relation), .Condition (SQL of what must hold of each), .AsOf,
--         .Audiences [{Audience Path}]
-- grain:  one row per audience and partner id; expired_since is null for active ones
CREATE OR REPLACE TEMP TABLE standings AS
WITH active AS (
  SELECT m.audience, p.partner_id FROM ({{template "profiles/relation" .Relation}}
  ) AS p
  JOIN (
    {{- range $i, $a := .Audiences}}{{if $i}}
    UNION ALL{{end}}
    SELECT {{text $a.Audience}} AS audience, partner_id FROM read_parquet({{text $a.Path}}) WHERE namespace = {{text $.Relation.Namespace}} AND status <> 'exited'
    {{- end}}
  ) AS m USING (partner_id)
  WHERE {{.Condition}}
), left_since AS (
  {{- range $i, $a := .Audiences}}{{if $i}}
  UNION ALL{{end}}
  SELECT {{text $a.Audience}} AS audience, partner_id, since FROM read_parquet({{text $a.Path}}) WHERE namespace = {{text $.Relation.Namespace}} AND status = 'exited'
  {{- end}}
)
SELECT audience, partner_id, NULL::TIMESTAMPTZ AS expired_since FROM active
UNION ALL
SELECT t.audience, t.partner_id, coalesce(t.expired_since, l.since, {{text .AsOf}}::TIMESTAMPTZ)
FROM told AS t ANTI JOIN active AS a USING (audience, partner_id)
LEFT JOIN left_since AS l ON l.audience = t.audience AND l.partner_id = t.partner_id
WHERE t.audience IN ({{range $i, $a := .Audiences}}{{if $i}}, {{end}}{{text $a.Audience}}{{end}})
  AND coalesce(t.expired_since > {{text .AsOf}}::TIMESTAMPTZ - INTERVAL 30 DAY, true);
