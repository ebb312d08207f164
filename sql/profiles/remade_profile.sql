-- name:   profiles/remade_profile
-- reads:  the one profile that was made again
-- params: none
SELECT * FROM remade;
