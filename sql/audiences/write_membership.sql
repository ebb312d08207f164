-- name:   audiences/write_membership
-- reads:  the members, and the membership that the previous evaluation published
-- writes: the audience's membership part in the order of namespace and id: realized (new), existing (stayed) or exited, with the
--         instant since when, and of the evaluation at which it qualified last (AU-34, SC-19)
-- params: none; .AsOf, .Previous (empty for a first evaluation), .Part, .Scanned (see audiences/found),
--         .Origin (a digest of all that decides it)
-- grain:  one row per identity; those that exited before stay out once 30 days have passed (GR-44)
COPY (
  {{- if .Previous}}
  SELECT coalesce(m.namespace, b.namespace) AS namespace, coalesce(m.partner_id, b.partner_id) AS partner_id,
    CASE WHEN m.partner_id IS NULL THEN 'exited'
         WHEN b.partner_id IS NULL OR b.status = 'exited' THEN 'realized'
         ELSE 'existing' END AS status,
    CASE WHEN m.partner_id IS NULL AND b.status = 'exited' THEN b.since
         WHEN m.partner_id IS NOT NULL AND b.status IN ('realized', 'existing') THEN b.since
         ELSE {{text .AsOf}}::TIMESTAMPTZ END AS since,
    CASE WHEN m.partner_id IS NULL THEN b.last_qualified ELSE {{text .AsOf}}::TIMESTAMPTZ END AS last_qualified
  FROM ({{template "audiences/found" .}}) AS m
  FULL JOIN (
    SELECT namespace, partner_id, status, since, last_qualified FROM read_parquet({{text .Previous}})
    WHERE status <> 'exited' OR since > {{text .AsOf}}::TIMESTAMPTZ - INTERVAL 30 DAY
  ) AS b ON m.namespace = b.namespace AND m.partner_id = b.partner_id
  ORDER BY 1, 2
  {{- else}}
  SELECT namespace, partner_id, 'realized' AS status, {{text .AsOf}}::TIMESTAMPTZ AS since, {{text .AsOf}}::TIMESTAMPTZ AS last_qualified
  FROM ({{template "audiences/found" .}})
  ORDER BY 1, 2
  {{- end}}
) TO {{text .Part}} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {origin: {{text .Origin}}});
