CREATE TABLE IF NOT EXISTS stock (item VARCHAR(20) PRIMARY KEY, free INT NOT NULL);
CREATE TABLE IF NOT EXISTS wallet (customer VARCHAR(20) PRIMARY KEY, balance INT NOT NULL);
CREATE TABLE IF NOT EXISTS packing (correlation_id VARCHAR(200) PRIMARY KEY, item VARCHAR(20) NOT NULL, parcel VARCHAR(20));
CREATE TABLE IF NOT EXISTS shipment (parcel VARCHAR(20) PRIMARY KEY, way VARCHAR(10) NOT NULL, steps INT NOT NULL);
CREATE TABLE IF NOT EXISTS ended (xid VARCHAR(100) PRIMARY KEY, done BOOLEAN NOT NULL);
-- Only on the first start: what was sold and spent since must not come back.
INSERT INTO stock (item, free)
  SELECT 'book', 10 FROM (SELECT 1 AS first_start) AS f
  WHERE NOT EXISTS (SELECT 1 FROM stock WHERE item = 'book');
INSERT INTO wallet (customer, balance)
  SELECT 'alice', 100 FROM (SELECT 1 AS first_start) AS f
  WHERE NOT EXISTS (SELECT 1 FROM wallet WHERE customer = 'alice');
