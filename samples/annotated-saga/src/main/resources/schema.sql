CREATE TABLE IF NOT EXISTS booking (
  made  INT GENERATED ALWAYS AS IDENTITY,
  id    VARCHAR(40) PRIMARY KEY,
  what  VARCHAR(10) NOT NULL,
  guest VARCHAR(20) NOT NULL,
  state VARCHAR(10) NOT NULL
);
CREATE TABLE IF NOT EXISTS train (free INT NOT NULL);
-- Only on the first start: seats that were booked since must not come back.
INSERT INTO train (free)
  SELECT 2 FROM (SELECT 1 AS first_start) AS f
  WHERE NOT EXISTS (SELECT 1 FROM train);
