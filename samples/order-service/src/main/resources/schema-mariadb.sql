CREATE TABLE IF NOT EXISTS purchase_order (
    id       BIGINT         NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer VARCHAR(64)    NOT NULL,
    product  VARCHAR(64)    NOT NULL,
    quantity INT            NOT NULL,
    total    DECIMAL(12, 2) NOT NULL
);
