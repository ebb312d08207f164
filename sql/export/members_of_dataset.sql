-- name:   export/members_of_dataset
-- reads:  the members who leave, and one dataset's fragments
-- params: as export/leaving; .Dataset
-- grain:  one row: how many of them have a fragment in the dataset that has not expired
SELECT count(*) FROM (
  SELECT p.partner_id
  {{template "export/leaving" .}}
) AS l
SEMI JOIN (SELECT partner_id FROM {{ident .Dataset}}.profiles WHERE _expires > {{text .Relation.AsOf}}::TIMESTAMPTZ) AS f USING (partner_id);
