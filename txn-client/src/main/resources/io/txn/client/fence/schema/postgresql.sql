-- How far each branch of TCC and sagas has come in this database; times in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS txn_fence (
    xid VARCHAR(128) NOT NULL,
    branch_id BIGINT NOT NULL,
    part VARCHAR(64) NOT NULL,
    state INT NOT NULL,
    calls INT NOT NULL,
    data TEXT,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    CONSTRAINT pk_txn_fence PRIMARY KEY (xid, branch_id, part)
);
CREATE INDEX IF NOT EXISTS ix_txn_fence_modified ON txn_fence (modified);
