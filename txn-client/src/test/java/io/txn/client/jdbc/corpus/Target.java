package io.txn.client.jdbc.corpus;

import java.util.Locale;

/** What the corpus runs on: a database, and the driver where there are two. */
public enum Target {
    H2("H2"),
    MARIADB("MariaDB"),
    /** The same server through MySQL's driver. */
    MYSQL("MariaDB by Connector/J"),
    POSTGRES("PostgreSQL 18"),
    /** The oldest one that its makers still mend. */
    POSTGRES15("PostgreSQL 15");

    private final String title;

    Target(String title) {
        this.title = title;
    }

    public String title() {
        return title;
    }

    /** The name in case files. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean speaksMySql() {
        return this == MARIADB || this == MYSQL;
    }

    boolean isPostgres() {
        return this == POSTGRES || this == POSTGRES15;
    }

    /**
     * Whether a word of a case file means this target: {@code mariadb} is meant for both drivers, {@code mysql} and {@code !mysql} for one; {@code postgres}
     * for both servers, {@code postgres15} and {@code !postgres15} for one.
     */
    boolean answersTo(String name) {
        return switch (name) {
            case "mariadb" -> speaksMySql();
            case "!mysql" -> this == MARIADB;
            case "postgres" -> isPostgres();
            case "!postgres15" -> this == POSTGRES;
            default -> word().equals(name);
        };
    }
}
