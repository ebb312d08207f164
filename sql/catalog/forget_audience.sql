-- name:   catalog/forget_audience
-- writes: that an audience's membership parts are gone; their counts stay
-- params: $1 audience
UPDATE memberships SET part = '' WHERE audience = $1;
