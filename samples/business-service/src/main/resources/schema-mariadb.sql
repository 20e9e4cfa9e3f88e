CREATE TABLE IF NOT EXISTS purchase (
    id       BIGINT         NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer VARCHAR(64)    NOT NULL,
    order_id BIGINT         NOT NULL,
    total    DECIMAL(12, 2) NOT NULL
);
