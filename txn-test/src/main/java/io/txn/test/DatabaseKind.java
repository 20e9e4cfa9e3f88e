package io.txn.test;

/** The databases every build is tested with. */
public enum DatabaseKind {
    H2,
    MARIADB,
    POSTGRESQL
}
