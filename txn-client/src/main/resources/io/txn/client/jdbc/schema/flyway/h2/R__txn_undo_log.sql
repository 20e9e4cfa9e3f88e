-- Undo records of AT mode, one row a local transaction.
CREATE TABLE IF NOT EXISTS undo_log (
    branch_id BIGINT NOT NULL,
    xid VARCHAR(128) NOT NULL,
    context VARCHAR(128) NOT NULL,
    rollback_info BLOB NOT NULL,
    log_status INT NOT NULL,
    log_created TIMESTAMP(6) NOT NULL,
    log_modified TIMESTAMP(6) NOT NULL,
    PRIMARY KEY (xid, branch_id)
);
-- One row that tells this database from any other that is reached by the same URL.
CREATE TABLE IF NOT EXISTS undo_log_database (
    slot INT NOT NULL PRIMARY KEY,
    database_id VARCHAR(36) NOT NULL
);
