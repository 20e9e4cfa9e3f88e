-- Only on the first start: what was sold since must not come back.
INSERT INTO stock (product, quantity, unit_price)
SELECT 'keyboard', 10, 40.00 FROM (SELECT 1 AS first_start) AS f
WHERE NOT EXISTS (SELECT 1 FROM stock WHERE product = 'keyboard');
