-- name:   catalog/forget_part
-- writes: that a membership part is gone; its counts stay
-- params: $1 part
UPDATE memberships SET part = '' WHERE part = $1;
