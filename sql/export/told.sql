-- name:   export/told
-- reads:  what earlier deliveries have told the destination, or, where nothing is known of them, who has left each audience
-- writes: temporary table told: whom the destination has been sent as active, by audience, and since when as expired, or null. What
--         two deliveries tell differently counts as active.
-- params: none; .Told [path], .Unknown, .Namespace, .Audiences [{Audience Path}]
-- grain:  one row per audience and partner id
CREATE OR REPLACE TEMP TABLE told AS
SELECT audience, partner_id, CASE WHEN count(*) = count(expired_since) THEN min(expired_since) END AS expired_since
FROM (
  SELECT ''::VARCHAR AS audience, ''::VARCHAR AS partner_id, NULL::TIMESTAMPTZ AS expired_since WHERE false
  {{- range .Told}}
  UNION ALL SELECT audience, partner_id, expired_since FROM read_parquet({{text .}})
  {{- end}}
  {{- if .Unknown}}{{range .Audiences}}
  UNION ALL SELECT {{text .Audience}}, partner_id, NULL FROM read_parquet({{text .Path}}) WHERE namespace = {{text $.Namespace}} AND status = 'exited'
  {{- end}}{{end}}
) GROUP BY audience, partner_id;
