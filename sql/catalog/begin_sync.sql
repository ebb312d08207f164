-- name:   catalog/begin_sync
-- writes: that a run looks at a source, for files from the end of the last run's window on unless another window is given
-- params: $1 run, $2 workflow, $3 source, $4 window's beginning ('-' for where the last one ended), $5 its end, $6 business date, $7 instant, $8 whether also earlier days
INSERT INTO syncs (run, workflow, source, window_from, window_to, business_date, began_at, ended_at, outcome, files, row_count, detail, up_to)
SELECT $1, $2, $3, CASE WHEN $4 <> '-' THEN $4 ELSE coalesce((SELECT max(window_to) FROM syncs WHERE source = $3), '') END, $5, $6, $7, '', 'running', 0, 0, '', $8
WHERE NOT EXISTS (SELECT 1 FROM syncs WHERE run = $1);
