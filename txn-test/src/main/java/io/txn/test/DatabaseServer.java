package io.txn.test;

/** A database server of this JVM's own, listening on 127.0.0.1 with its files in a temporary directory. Thread-safe. */
public interface DatabaseServer extends AutoCloseable {

    /** How eager the server is to have things on the disk. */
    enum Durability {
        /**
         * Commits reach the operating system: they survive a kill of the server, not a loss of power. Quick; the
         * default.
         */
        PROCESS,
        /** Commits reach the disk before they are answered, as in production. */
        DISK
    }

    DatabaseKind kind();

    int port();

    /** A fresh, empty database. */
    TestDatabase create();

    /** SIGKILL to the whole server; returns when every process of it is gone. */
    void kill9();

    /** Starts the server again on the same files and port, after {@link #kill9()}; returns when it answers. */
    void restart();

    /** Stops the server and deletes its files. */
    @Override
    void close();
}
