-- name:   catalog/forget_look
-- writes: that an earlier attempt at a run's look does not count
-- params: $1 run, $2 look
DELETE FROM sync_files WHERE run = $1 AND look = $2;
