package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.druid.pool.DruidDataSource;
import com.alibaba.druid.wall.WallConfig;
import com.alibaba.druid.wall.WallFilter;
import com.baomidou.dynamic.datasource.DynamicRoutingDataSource;
import com.baomidou.dynamic.datasource.creator.DataSourceProperty;
import com.baomidou.dynamic.datasource.creator.DefaultDataSourceCreator;
import com.baomidou.dynamic.datasource.spring.boot.autoconfigure.DynamicDataSourceAutoConfiguration;
import com.baomidou.dynamic.datasource.toolkit.DynamicDataSourceContextHolder;
import com.p6spy.engine.spy.P6DataSource;
import com.zaxxer.hikari.HikariDataSource;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.txn.client.jdbc.AtDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.spring.autoconfigure.TxnDoctorAutoConfiguration;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.SeenDataSource.Fate;
import io.txn.spring.doctor.SeenDataSources;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabases;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import net.ttddyy.dsproxy.support.ProxyDataSourceBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.transaction.support.TransactionTemplate;

/** What stands above or beneath the pool: AT mode is there exactly once, at the pool. */
class LayersIT {

    /** The pool of {@code spring.datasource}, made by hand as people do who put something above it. */
    private static DataSource pool(Environment environment) {
        return DataSourceBuilder.create()
                .url(environment.getRequiredProperty("spring.datasource.url"))
                .username(environment.getRequiredProperty("spring.datasource.username"))
                .password(environment.getRequiredProperty("spring.datasource.password"))
                .type(HikariDataSource.class)
                .build();
    }

    @ImportAutoConfiguration({
        DataSourceTransactionManagerAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @WithTheStarter
    @Retention(RetentionPolicy.RUNTIME)
    @interface Apps {}

    abstract static class Layered {

        @Bean
        DataSource pool(Environment environment) {
            return LayersIT.pool(environment);
        }

        @Bean
        @Primary
        DataSource above(@Qualifier("pool") DataSource pool) {
            return over(pool);
        }

        abstract DataSource over(DataSource pool);
    }

    @Apps
    static class P6SpyAbove extends Layered {
        @Override
        DataSource over(DataSource pool) {
            return new P6DataSource(pool);
        }
    }

    @Apps
    static class DatasourceProxyAbove extends Layered {
        @Override
        DataSource over(DataSource pool) {
            return ProxyDataSourceBuilder.create(pool)
                    .name("proxy")
                    .countQuery()
                    .build();
        }
    }

    @Apps
    static class Lazy extends Layered {
        @Override
        DataSource over(DataSource pool) {
            return new LazyConnectionDataSourceProxy(pool);
        }
    }

    @Apps
    static class TransactionAware extends Layered {
        @Override
        DataSource over(DataSource pool) {
            return new TransactionAwareDataSourceProxy(pool);
        }
    }

    @Apps
    static class Routing extends Layered {
        @Override
        DataSource over(DataSource pool) {
            AbstractRoutingDataSource router = new AbstractRoutingDataSource() {
                @Override
                protected Object determineCurrentLookupKey() {
                    return "one";
                }
            };
            router.setTargetDataSources(Map.of("one", pool));
            return router;
        }
    }

    /** One that does not say what it wraps. */
    @Apps
    static class Silent extends Layered {
        @Override
        DataSource over(DataSource pool) {
            return new AbstractDataSource() {
                @Override
                public Connection getConnection() throws SQLException {
                    return pool.getConnection();
                }

                @Override
                public Connection getConnection(String user, String password) throws SQLException {
                    return pool.getConnection(user, password);
                }

                @Override
                public boolean isWrapperFor(Class<?> type) {
                    return false;
                }
            };
        }
    }

    static Stream<Arguments> layersAndDatabases() {
        return Rig.onDatabases(
                List.of(
                        P6SpyAbove.class,
                        DatasourceProxyAbove.class,
                        Lazy.class,
                        TransactionAware.class,
                        Routing.class,
                        Silent.class),
                DatabaseKind.MARIADB,
                DatabaseKind.POSTGRESQL);
    }

    @ParameterizedTest
    @MethodSource("layersAndDatabases")
    void whatStandsAboveThePoolIsLeftAlone(Class<?> layer, DatabaseKind kind) {
        try (Rig rig = Rig.start(layer, kind, Shop::create)) {
            assertThat(rig.committed().wrapped()).containsExactly("pool");
            assertThat(rig.committed().bean("above", DataSource.class)).isNotInstanceOf(AtDataSource.class);
            Purchases.check(rig, Purchases::inOneTransaction);
        }
    }

    @ImportAutoConfiguration(DataSourceAutoConfiguration.class)
    @Apps
    static class Boots {}

    @ParameterizedTest
    @EnumSource
    void p6SpyBeneathThePool(DatabaseKind kind) {
        try (Rig rig = Rig.start(
                Boots.class,
                kind,
                Shop::create,
                "spring.datasource.url=${database.0.spied-url}",
                "spring.datasource.driver-class-name=com.p6spy.engine.spy.P6SpyDriver")) {
            assertThat(rig.committed().wrapped()).containsExactly("dataSource");
            Purchases.check(rig, Purchases::inOneTransaction);
        }
    }

    @Apps
    static class DruidWithFilters {
        @Bean
        DataSource dataSource(Environment environment) throws SQLException {
            DruidDataSource druid = new DruidDataSource();
            druid.setUrl(environment.getRequiredProperty("spring.datasource.url"));
            druid.setUsername(environment.getRequiredProperty("spring.datasource.username"));
            druid.setPassword(environment.getRequiredProperty("spring.datasource.password"));
            druid.setFilters("stat,slf4j");
            // Its parser does not know every form that AT mode sends, such as MariaDB's RETURNING.
            WallConfig wall = new WallConfig();
            wall.setStrictSyntaxCheck(false);
            WallFilter filter = new WallFilter();
            filter.setConfig(wall);
            druid.setProxyFilters(List.of(filter));
            druid.setPoolPreparedStatements(true);
            druid.setMaxActive(4);
            druid.setTestWhileIdle(false);
            return druid;
        }
    }

    @ParameterizedTest
    @EnumSource
    void druidWithItsFilters(DatabaseKind kind) {
        try (Rig rig = Rig.start(DruidWithFilters.class, kind, Shop::create)) {
            assertThat(rig.committed().wrapped()).containsExactly("dataSource");
            Purchases.check(rig, Purchases::inOneTransaction);
        }
    }

    @ImportAutoConfiguration(DynamicDataSourceAutoConfiguration.class)
    @Apps
    static class Dynamic {}

    /** Its pools are no beans, and lead to databases of different kinds. */
    @Test
    void theRouterOfDynamicDatasource() {
        try (Rig rig = Rig.start(
                Dynamic.class,
                List.of(DatabaseKind.POSTGRESQL, DatabaseKind.MARIADB, DatabaseKind.H2),
                databases -> databases.forEach(Shop::create),
                List.of(
                        "spring.datasource.dynamic.primary=first",
                        "spring.datasource.dynamic.strict=true",
                        "spring.datasource.dynamic.datasource.first.url=${database.0.url}",
                        "spring.datasource.dynamic.datasource.first.username=${database.0.username}",
                        "spring.datasource.dynamic.datasource.first.password=${database.0.password}",
                        "spring.datasource.dynamic.datasource.other_1.url=${database.1.url}",
                        "spring.datasource.dynamic.datasource.other_1.username=${database.1.username}",
                        "spring.datasource.dynamic.datasource.other_1.password=${database.1.password}"))) {
            rig.prepare(application -> {
                DataSourceProperty later = new DataSourceProperty();
                later.setPoolName("later");
                later.setUrl(application.databases().get(2).jdbcUrl());
                later.setUsername(application.databases().get(2).user());
                later.setPassword(application.databases().get(2).password());
                DynamicRoutingDataSource router = application.bean(DynamicRoutingDataSource.class);
                router.addDataSource(
                        "later",
                        application.bean(DefaultDataSourceCreator.class).createDataSource(later));
            });
            rig.check(4, application -> {
                Purchases.inOneTransaction(application);
                JdbcTemplate jdbc = application.bean(JdbcTemplate.class);
                for (String name : List.of("other", "later", "first")) {
                    DynamicDataSourceContextHolder.push(name);
                    try {
                        jdbc.update("UPDATE account SET owner = ? WHERE id = 1", name);
                    } finally {
                        DynamicDataSourceContextHolder.poll();
                    }
                }
            });

            HikariDataSource raw = new HikariDataSource();
            rig.committed().bean(DynamicRoutingDataSource.class).addDataSource("raw", raw);
            assertThat(rig.committed().bean(SeenDataSources.class).seen())
                    .filteredOn(seen -> seen.fate() == Fate.UNCOVERED)
                    .singleElement()
                    .satisfies(seen -> assertThat(seen.name()).endsWith(".raw"));
        }
    }

    @ImportAutoConfiguration(TxnDoctorAutoConfiguration.class)
    @Apps
    static class Reactive {

        @Bean
        DataSource pool(Environment environment) {
            return LayersIT.pool(environment);
        }

        @Bean
        ConnectionFactory reactive() {
            return ConnectionFactories.get("r2dbc:h2:mem:///reactive");
        }
    }

    @Test
    void aDatabaseThatIsReachedByR2dbcIsSaidToBeUncovered() {
        try (Application application = Application.start(
                Reactive.class,
                List.of(TestDatabases.h2()),
                List.of(
                        "txn.client.fail-fast=false",
                        "txn.client.start-wait=1ms",
                        "txn.coordinator.address=127.0.0.1:1"))) {
            assertThat(application.bean(Doctor.class).examine().problems())
                    .filteredOn(problem -> problem.code() == ErrorCode.REACTIVE_DATABASE_NOT_COVERED)
                    .singleElement()
                    .satisfies(problem -> assertThat(problem.subject()).isEqualTo("reactive"));
        }
    }

    // Two data sources in one service

    @Apps
    static class Two {

        @Bean
        @Primary
        DataSource first(Environment environment) {
            return pool(environment);
        }

        @Bean
        DataSource second(Environment environment) {
            return DataSourceBuilder.create()
                    .url(environment.getRequiredProperty("database.1.url"))
                    .username(environment.getRequiredProperty("database.1.username"))
                    .password(environment.getRequiredProperty("database.1.password"))
                    .build();
        }

        @Bean
        TransactionTemplate secondTransaction(@Qualifier("second") DataSource second) {
            return new TransactionTemplate(new DataSourceTransactionManager(second));
        }
    }

    @Test
    void twoDataSourcesOfDifferentKinds() {
        try (Rig rig = Rig.start(
                Two.class,
                List.of(DatabaseKind.POSTGRESQL, DatabaseKind.MARIADB),
                databases -> databases.forEach(Shop::create),
                List.of())) {
            assertThat(rig.committed().wrapped()).containsExactly("first", "second");
            rig.check(2, application -> {
                JdbcTemplate first = new JdbcTemplate(application.bean("first", DataSource.class));
                JdbcTemplate second = new JdbcTemplate(application.bean("second", DataSource.class));
                first.update("UPDATE account SET amount = amount - 5 WHERE id = 1");
                application
                        .bean("secondTransaction", TransactionTemplate.class)
                        .executeWithoutResult(status -> Purchases.inTransaction(second));
            });
        }
    }
}
