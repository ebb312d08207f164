-- name:   audiences/scan
-- reads:  the profiles of one namespace
-- writes: a temporary table of all their ids, in order, with a bit for each audience: set where its rule holds
-- params: the rules' values, in order; .Table, .Relation (see profiles/relation), .References [{Condition}] (a column
--         "reference 0", "reference 1" … for each audience that rules refer to), .Words [[{Bit Condition}]] (columns of up to 64 bits)
-- The rules are not in WHERE as well: each would be decided twice.
CREATE OR REPLACE TEMP TABLE {{.Table}} AS
SELECT p.partner_id
  {{- range $w, $verdicts := .Words}}, {{range $i, $v := $verdicts}}{{if $i}}
  | {{end}}CASE WHEN {{$v.Condition}} THEN {{$v.Bit}}::UBIGINT ELSE 0::UBIGINT END{{end}} AS word_{{$w}}{{end}}
FROM (
  SELECT p.*{{range $i, $r := .References}}, {{$r.Condition}} AS "reference {{$i}}"{{end}} FROM ({{template "profiles/relation" .Relation}}
  ) AS p
) AS p
ORDER BY p.partner_id;
