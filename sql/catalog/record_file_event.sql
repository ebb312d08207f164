-- name:   catalog/record_file_event
-- writes: the next line of a file version's story, unless it would repeat the last one
-- params: $1 batch, $2 state, $3 detail, $4 instant
INSERT INTO file_events (batch, number, state, detail, recorded_at)
SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4 FROM file_events WHERE batch = $1
HAVING NOT EXISTS (
  SELECT 1 FROM file_events AS last WHERE last.batch = $1 AND last.state = $2 AND last.detail = $3
    AND last.number = (SELECT max(number) FROM file_events WHERE batch = $1));
