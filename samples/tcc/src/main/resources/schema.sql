CREATE TABLE IF NOT EXISTS seats (free INT NOT NULL, kept INT NOT NULL, sold INT NOT NULL);
CREATE TABLE IF NOT EXISTS wallet (customer VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, held INT NOT NULL);
-- Only on the first start: what was sold and spent since must not come back.
INSERT INTO seats (free, kept, sold)
  SELECT 30, 0, 0 FROM (SELECT 1 AS first_start) AS f
  WHERE NOT EXISTS (SELECT 1 FROM seats);
INSERT INTO wallet (customer, balance, held)
  SELECT 'alice', 500, 0 FROM (SELECT 1 AS first_start) AS f
  WHERE NOT EXISTS (SELECT 1 FROM wallet WHERE customer = 'alice');
