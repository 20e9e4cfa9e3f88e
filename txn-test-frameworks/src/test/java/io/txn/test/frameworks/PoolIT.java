package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.druid.pool.DruidDataSource;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.jdbc.AtDataSource;
import io.txn.test.DatabaseKind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;

/** Each pool that Spring Boot can make, or that people use, once under AT mode. */
class PoolIT {

    @ImportAutoConfiguration({
        DataSourceAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @WithTheStarter
    static class App {}

    private record Pool(Class<? extends DataSource> type, List<String> properties) {
        @Override
        public String toString() {
            return type.getName() + " " + properties;
        }
    }

    /** Autocommit off and left so, as some configure their pools, is met in between. */
    private static List<Pool> pools() {
        return List.of(
                new Pool(HikariDataSource.class, List.of()),
                new Pool(HikariDataSource.class, List.of("spring.datasource.hikari.auto-commit=false")),
                new Pool(
                        org.apache.tomcat.jdbc.pool.DataSource.class,
                        List.of(
                                "spring.datasource.tomcat.jdbc-interceptors=ConnectionState;StatementFinalizer",
                                "spring.datasource.tomcat.initial-size=1",
                                "spring.datasource.tomcat.min-idle=1",
                                "spring.datasource.tomcat.max-idle=4",
                                "spring.datasource.tomcat.max-active=4")),
                new Pool(
                        BasicDataSource.class,
                        List.of(
                                "spring.datasource.dbcp2.pool-prepared-statements=true",
                                "spring.datasource.dbcp2.max-total=4")),
                new Pool(DruidDataSource.class, List.of()));
    }

    static Stream<Arguments> poolsAndDatabases() {
        return Rig.onDatabases(pools(), DatabaseKind.values());
    }

    @ParameterizedTest
    @MethodSource("poolsAndDatabases")
    void rowsAreRestoredOrKept(Pool pool, DatabaseKind kind) {
        List<String> properties = new ArrayList<>(pool.properties());
        properties.add("spring.datasource.type=" + pool.type().getName());
        try (Rig rig = Rig.start(App.class, kind, Shop::create, properties.toArray(new String[0]))) {
            AtDataSource wrapped = rig.committed().bean(AtDataSource.class);
            assertThat(wrapped.physical()).isInstanceOf(pool.type());
            assertThat(wrapped.unwrap(pool.type())).isSameAs(wrapped.physical());
            Purchases.check(rig, Purchases::inOneTransaction);
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }
}
