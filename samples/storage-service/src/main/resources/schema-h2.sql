CREATE TABLE IF NOT EXISTS stock (
    product    VARCHAR(64)    NOT NULL PRIMARY KEY,
    quantity   INT            NOT NULL,
    unit_price DECIMAL(12, 2) NOT NULL
);
