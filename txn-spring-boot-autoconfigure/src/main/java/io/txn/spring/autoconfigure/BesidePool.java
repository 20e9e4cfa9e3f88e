package io.txn.spring.autoconfigure;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.util.ClassUtils;

/**
 * Connections as a pool makes them, made past the pool: for phase two, which must not wait behind those who fill the pool. HikariCP is asked for everything that it connects
 * with, driver properties included; of other pools Spring Boot knows URL, user, password and driver.
 */
final class BesidePool {

    private static final Logger log = LoggerFactory.getLogger(BesidePool.class);

    private static final boolean SPRING_JDBC = isPresent("org.springframework.jdbc.datasource.SimpleDriverDataSource")
            && isPresent("org.springframework.boot.jdbc.DataSourceBuilder");

    private static final boolean HIKARI = isPresent("com.zaxxer.hikari.HikariDataSource");

    private BesidePool() {}

    private static boolean isPresent(String name) {
        return ClassUtils.isPresent(name, BesidePool.class.getClassLoader());
    }

    /** Null when it is not known how {@code pool} connects. */
    static @Nullable DataSource of(DataSource pool) {
        if (!SPRING_JDBC) {
            return null;
        }
        try {
            DataSource hikari = HIKARI ? Hikari.beside(pool) : null;
            return hikari != null ? hikari : Derived.from(pool);
        } catch (SQLException | RuntimeException e) {
            log.debug("no connections beside a pool type={}", pool.getClass().getName(), e);
            return null;
        }
    }

    /** Where {@code pool} connects to, as far as it says so before it does; null otherwise. */
    static @Nullable String url(DataSource pool) {
        if (!SPRING_JDBC) {
            return null;
        }
        try {
            String url = HIKARI ? Hikari.url(pool) : null;
            return url != null ? url : Derived.url(pool);
        } catch (SQLException | RuntimeException e) {
            return null;
        }
    }

    /** Has {@code pool} drop a connection of its, which is about to be closed behind its back; other pools than HikariCP find that out by themselves. */
    static Consumer<Connection> evicting(DataSource pool) {
        try {
            Consumer<Connection> hikari = HIKARI ? Hikari.evicting(pool) : null;
            return hikari != null ? hikari : connection -> {};
        } catch (SQLException | RuntimeException e) {
            return connection -> {};
        }
    }

    /** Loaded only where HikariCP is. */
    private static final class Hikari {

        private static @Nullable HikariDataSource hikari(DataSource pool) throws SQLException {
            return pool instanceof HikariDataSource itself
                    ? itself
                    : pool.isWrapperFor(HikariDataSource.class) ? pool.unwrap(HikariDataSource.class) : null;
        }

        static @Nullable Consumer<Connection> evicting(DataSource pool) throws SQLException {
            HikariDataSource hikari = hikari(pool);
            return hikari == null ? null : hikari::evictConnection;
        }

        static @Nullable String url(DataSource pool) throws SQLException {
            HikariDataSource hikari = hikari(pool);
            return hikari == null || hikari.getDataSource() != null ? null : hikari.getJdbcUrl();
        }

        static @Nullable DataSource beside(DataSource pool) throws SQLException {
            HikariDataSource hikari = hikari(pool);
            if (hikari == null) {
                return null;
            }
            if (hikari.getDataSource() != null) {
                return hikari.getDataSource();
            }
            return hikari.getJdbcUrl() == null ? null : new Connecting(hikari);
        }

        /** Asks the pool anew for each connection: passwords may change while it runs. */
        private static final class Connecting extends AbstractDataSource {

            private final HikariDataSource pool;

            Connecting(HikariDataSource pool) {
                this.pool = pool;
            }

            @Override
            public Connection getConnection() throws SQLException {
                return getConnection(pool.getUsername(), pool.getPassword());
            }

            @Override
            public Connection getConnection(@Nullable String user, @Nullable String password) throws SQLException {
                Properties with = new Properties();
                pool.getDataSourceProperties().forEach((key, value) -> with.put(key, String.valueOf(value)));
                if (user != null) {
                    with.setProperty("user", user);
                }
                if (password != null) {
                    with.setProperty("password", password);
                }
                Connection connection = DriverManager.getConnection(pool.getJdbcUrl(), with);
                try {
                    if (pool.getCatalog() != null) {
                        connection.setCatalog(pool.getCatalog());
                    }
                    if (pool.getSchema() != null) {
                        connection.setSchema(pool.getSchema());
                    }
                    return connection;
                } catch (SQLException | RuntimeException e) {
                    connection.close();
                    throw e;
                }
            }
        }
    }

    /** What Spring Boot can find out about a pool. */
    private static final class Derived {

        static @Nullable DataSource from(DataSource pool) {
            return url(pool) == null ? null : derived(pool);
        }

        static @Nullable String url(DataSource pool) {
            return derived(pool).getUrl();
        }

        private static SimpleDriverDataSource derived(DataSource pool) {
            return DataSourceBuilder.derivedFrom(pool)
                    .type(SimpleDriverDataSource.class)
                    .build();
        }
    }
}
