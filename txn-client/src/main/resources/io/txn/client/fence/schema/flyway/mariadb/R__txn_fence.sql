-- How far each branch of TCC and sagas has come in this database; times in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS txn_fence (
    xid VARCHAR(128) NOT NULL,
    branch_id BIGINT NOT NULL,
    part VARCHAR(64) NOT NULL,
    state INT NOT NULL,
    calls INT NOT NULL,
    data MEDIUMTEXT,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    PRIMARY KEY (xid, branch_id, part),
    KEY ix_txn_fence_modified (modified)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
