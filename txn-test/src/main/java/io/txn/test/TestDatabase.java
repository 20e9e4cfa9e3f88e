package io.txn.test;

import com.mysql.cj.jdbc.MysqlXADataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.mariadb.jdbc.MariaDbDataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.xa.PGXADataSource;

/** One database of its own on a running server, empty at first. Immutable and thread-safe. */
public final class TestDatabase {

    private final DatabaseKind kind;
    private final String name;
    private final String jdbcUrl;
    private final String user;
    private final String password;
    private final Origin origin;

    /** Where databases come from. */
    @FunctionalInterface
    interface Origin {

        TestDatabase another();

        /** Nothing, where a fresh one costs next to nothing. */
        default void takeBack() {}
    }

    TestDatabase(DatabaseKind kind, String name, String jdbcUrl, String user, String password, Origin origin) {
        this.kind = kind;
        this.name = name;
        this.jdbcUrl = jdbcUrl;
        this.user = user;
        this.password = password;
        this.origin = origin;
    }

    /** Another fresh database on the same server. */
    public TestDatabase create() {
        return origin.another();
    }

    /**
     * For who is done with it and has found nothing wrong: a database that is asked for later may be this one, emptied. Where a fresh one takes long,
     * that is what most of a short test would wait for. Once only: later it may be somebody else's.
     */
    public void giveBack() {
        origin.takeBack();
    }

    public DatabaseKind kind() {
        return kind;
    }

    public String name() {
        return name;
    }

    public String jdbcUrl() {
        return jdbcUrl;
    }

    public String user() {
        return user;
    }

    public String password() {
        return password;
    }

    /** The same database through MySQL's own driver; MariaDB only. */
    public TestDatabase withMySqlDriver() {
        if (kind != DatabaseKind.MARIADB) {
            throw new IllegalStateException("MySQL's driver does not speak to " + kind);
        }
        String url = jdbcUrl.replaceFirst("^jdbc:mariadb:", "jdbc:mysql:");
        return new TestDatabase(
                kind, name, url, user, password, () -> origin.another().withMySqlDriver());
    }

    /** The same database by another way to it. */
    TestDatabase at(String url) {
        return new TestDatabase(kind, name, url, user, password, origin);
    }

    /** Unpooled connections. */
    public DataSource dataSource() {
        if (kind == DatabaseKind.POSTGRESQL) {
            PGSimpleDataSource postgres = new PGSimpleDataSource();
            postgres.setUrl(jdbcUrl);
            postgres.setUser(user);
            postgres.setPassword(password);
            return postgres;
        }
        return (DataSource) driverDataSource();
    }

    /** Unpooled XA connections. */
    public XADataSource xaDataSource() {
        return (XADataSource) driverDataSource();
    }

    /** Runs the statements one by one, each committed. */
    public void execute(String... statements) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException("cannot set up " + name + ": " + e.getMessage(), e);
        }
    }

    /** Each of these classes is both a plain and an XA data source, with one exception met in {@link #dataSource()}. */
    private Object driverDataSource() {
        try {
            if (jdbcUrl.startsWith("jdbc:mysql:")) {
                MysqlXADataSource mysql = new MysqlXADataSource();
                mysql.setUrl(jdbcUrl);
                mysql.setUser(user);
                mysql.setPassword(password);
                return mysql;
            }
            return switch (kind) {
                case H2 -> {
                    JdbcDataSource h2 = new JdbcDataSource();
                    h2.setURL(jdbcUrl);
                    h2.setUser(user);
                    h2.setPassword(password);
                    yield h2;
                }
                case MARIADB -> {
                    MariaDbDataSource mariaDb = new MariaDbDataSource(jdbcUrl);
                    mariaDb.setUser(user);
                    mariaDb.setPassword(password);
                    yield mariaDb;
                }
                case POSTGRESQL -> {
                    PGXADataSource postgres = new PGXADataSource();
                    postgres.setUrl(jdbcUrl);
                    postgres.setUser(user);
                    postgres.setPassword(password);
                    yield postgres;
                }
            };
        } catch (SQLException e) {
            throw new IllegalStateException("cannot set up a data source for " + jdbcUrl, e);
        }
    }

    @Override
    public String toString() {
        return kind + " " + jdbcUrl;
    }
}
