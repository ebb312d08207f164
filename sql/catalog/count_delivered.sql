-- name:   catalog/count_delivered
-- reads:  deliveries, whatever their activations were called
-- params: $1 contract, $2 instant, $3 a delivery that does not count, or empty
-- grain:  one row: deliveries of rows of the contract of which a file has arrived since then, or may have, or that are under way; those
--         before departures were recorded by the contracts that held when they began
SELECT COUNT(*) FROM deliveries AS d
WHERE d.id <> $3 AND (
  EXISTS (SELECT 1 FROM departures AS l WHERE l.delivery = d.id AND l.contract = $1 AND l.left_at >= $2)
  OR EXISTS (SELECT 1 FROM decision_contracts AS c WHERE c.decision = d.decision AND c.contract = $1) AND (
    d.status = 'delivering' OR d.status = 'delivered' AND d.ended_at >= $2
    OR EXISTS (SELECT 1 FROM receipts AS r WHERE r.delivery = d.id AND r.read_back_at >= $2)));
