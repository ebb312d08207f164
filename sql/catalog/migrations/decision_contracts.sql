-- name:   catalog/migrations/decision_contracts
-- writes: the contracts under which a decision let rows leave
-- params: none
CREATE TABLE decision_contracts (decision TEXT NOT NULL, contract TEXT NOT NULL, PRIMARY KEY (decision, contract));
