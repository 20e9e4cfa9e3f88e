package io.txn.client.jdbc.corpus;

import java.util.Locale;

/** What the corpus runs on: a database, and the driver where there are two. */
public enum Target {
    H2("H2"),
    MARIADB("MariaDB"),
    /** The same server through MySQL's driver. */
    MYSQL("MariaDB by Connector/J"),
    POSTGRES("PostgreSQL");

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

    /** Whether a word of a case file means this target: {@code mariadb} is meant for both drivers, {@code mysql} and {@code !mysql} for one. */
    boolean answersTo(String name) {
        return switch (name) {
            case "mariadb" -> speaksMySql();
            case "!mysql" -> this == MARIADB;
            default -> word().equals(name);
        };
    }
}
