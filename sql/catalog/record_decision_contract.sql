-- name:   catalog/record_decision_contract
-- writes: that a decision lets rows of a contract leave
-- params: $1 decision, $2 contract
INSERT INTO decision_contracts (decision, contract) VALUES ($1, $2) ON CONFLICT (decision, contract) DO NOTHING;
