-- name:   schema/checker
-- writes: what statements of the checker share: the text of a field of clean records (see filecodec.AppendClean)
-- params: none
CREATE MACRO unescaped(escaped, field) AS CASE WHEN escaped THEN
  replace(replace(replace(replace(replace(field, chr(26) || '0', ''), chr(26) || '1', chr(10)), chr(26) || '2', chr(13)), chr(26) || '3', chr(31)), chr(26) || '4', chr(26))
  ELSE field END;
