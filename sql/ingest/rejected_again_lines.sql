-- name:   ingest/rejected_again_lines
-- reads:  rejected_again
-- params: none
SELECT count(DISTINCT line) FROM rejected_again;
