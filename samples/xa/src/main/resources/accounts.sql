CREATE TABLE IF NOT EXISTS account (owner VARCHAR(20) PRIMARY KEY, balance INT NOT NULL);
INSERT INTO account (owner, balance)
  SELECT owner, balance FROM (SELECT 'alice' AS owner, 500 AS balance UNION ALL SELECT 'bob', 500) AS customers
  WHERE NOT EXISTS (SELECT 1 FROM account);
