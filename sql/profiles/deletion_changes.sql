-- name:   profiles/deletion_changes
-- writes: a temporary table with what becomes of each id that the deleted batch had touched
-- params: none; .Dataset
CREATE OR REPLACE TEMP TABLE changes AS
SELECT t.partner_id,
  CASE WHEN p.partner_id IS NULL AND n.partner_id IS NULL THEN 'absent'
       WHEN n.partner_id IS NULL THEN 'removed'
       WHEN p.partner_id IS NULL THEN 'restored'
       WHEN p._batch = n._batch AND p._line = n._line AND p._created = n._created AND p._digest IS NOT DISTINCT FROM n._digest THEN 'kept'
       ELSE 'reverted' END AS change
FROM touched AS t
LEFT JOIN {{ident .Dataset}}.profiles AS p ON p.partner_id = t.partner_id
LEFT JOIN remade AS n ON n.partner_id = t.partner_id;
