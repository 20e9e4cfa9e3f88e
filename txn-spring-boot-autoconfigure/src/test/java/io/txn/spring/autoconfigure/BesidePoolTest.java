package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

class BesidePoolTest {

    private static final String URL = "jdbc:h2:mem:beside;DB_CLOSE_DELAY=-1";

    private static HikariConfig config() {
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(1);
        return config;
    }

    @Test
    void connectsAsHikariDoesPastItsPool() throws SQLException {
        HikariConfig config = config();
        config.setJdbcUrl(URL);
        config.setUsername("sa");
        config.setPassword("");
        config.addDataSourceProperty("MODE", "PostgreSQL");
        config.setSchema("INFORMATION_SCHEMA");
        try (HikariDataSource pool = new HikariDataSource(config);
                Connection only = pool.getConnection()) {
            DataSource beside = BesidePool.of(pool);

            assertThat(beside).isNotNull();
            try (Connection connection = beside.getConnection()) {
                assertThat(connection.getSchema()).isEqualTo("INFORMATION_SCHEMA");
            }
            assertThat(new JdbcTemplate(beside)
                            .queryForObject(
                                    "SELECT SETTING_VALUE FROM INFORMATION_SCHEMA.SETTINGS WHERE SETTING_NAME = 'MODE'",
                                    String.class))
                    .isEqualTo("PostgreSQL");
            assertThat(only.isValid(1)).isTrue();
        }
    }

    @Test
    void takesTheSourceThatHikariTakesItsConnectionsFrom() {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL(URL);
        source.setUser("sa");
        HikariConfig config = config();
        config.setDataSource(source);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            assertThat(BesidePool.of(new DelegatingDataSource(pool))).isSameAs(source);
        }
    }

    @Test
    void derivesOthersAsFarAsSpringBootKnowsThem() {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL(URL);
        source.setUser("sa");
        source.setPassword("");

        DataSource beside = BesidePool.of(source);

        assertThat(beside).isNotNull().isNotSameAs(source);
        assertThat(new JdbcTemplate(beside).queryForObject("SELECT 1", Integer.class))
                .isEqualTo(1);
    }

    @Test
    void saysSoWhereItDoesNotKnow() {
        DataSource unknown = (DataSource) Proxy.newProxyInstance(
                BesidePoolTest.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("isWrapperFor")) {
                        return false;
                    }
                    throw new SQLException("cannot " + method.getName());
                });

        assertThat(BesidePool.of(unknown)).isNull();
        assertThat(BesidePool.of(new SingleConnectionDataSource())).isNull();
    }
}
