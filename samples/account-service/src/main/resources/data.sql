-- Only on the first start: what was spent since must not come back.
INSERT INTO account (customer, balance)
SELECT 'alice', 100.00 FROM (SELECT 1 AS first_start) AS f
WHERE NOT EXISTS (SELECT 1 FROM account WHERE customer = 'alice');

INSERT INTO account (customer, balance)
SELECT 'bob', 500.00 FROM (SELECT 1 AS first_start) AS f
WHERE NOT EXISTS (SELECT 1 FROM account WHERE customer = 'bob');
