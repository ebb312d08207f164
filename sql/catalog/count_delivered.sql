-- name:   catalog/count_delivered
-- reads:  deliveries, whatever their activations were called
-- params: $1 contract, $2 instant, $3 a delivery that does not count, or empty
-- grain:  one row: deliveries of rows of the contract that have arrived since then, or are under way
SELECT COUNT(*) FROM deliveries AS d JOIN decision_contracts AS c ON c.decision = d.decision
WHERE c.contract = $1 AND d.id <> $3 AND (d.status = 'delivered' AND d.ended_at >= $2 OR d.status = 'delivering');
