package io.txn.test.frameworks;

import io.txn.test.GeneratedDoc;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The table of what works: with the versions that are tried here, and the test that tries them. */
class WorksWithTest {

    private static final Pattern VERSION = Pattern.compile("-(\\d[^/]*)\\.jar");

    private record Tried(String what, Class<?> partOfIt, String forms, Class<?> by) {
        String row() {
            return "| %s %s | %s | `%s` |%n".formatted(what, version(), forms, by.getSimpleName());
        }

        private String version() {
            String jar =
                    partOfIt.getProtectionDomain().getCodeSource().getLocation().getPath();
            Matcher found = VERSION.matcher(jar);
            if (!found.find()) {
                throw new AssertionError(jar + " does not tell its version");
            }
            return found.group(1);
        }
    }

    private static final String ALL = "; H2, MariaDB, PostgreSQL";

    private static final List<Tried> TRIED = List.of(
            new Tried(
                    "Spring JDBC",
                    org.springframework.jdbc.core.JdbcTemplate.class,
                    "JdbcTemplate, NamedParameterJdbcTemplate, SimpleJdbcInsert, JdbcClient, batches, generated keys, nested transactions"
                            + ALL,
                    SpringJdbcIT.class),
            new Tried(
                    "MyBatis",
                    org.apache.ibatis.session.SqlSession.class,
                    "executors SIMPLE, REUSE, BATCH; generated keys, selectKey before and after, RETURNING" + ALL,
                    MyBatisIT.class),
            new Tried(
                    "Hibernate",
                    org.hibernate.Session.class,
                    "all kinds of generated keys, ordered batches, versions, LOBs, collections, cascades, joined and secondary tables, bulk JPQL, locks, Spring Data"
                            + ALL,
                    JpaIT.class),
            new Tried(
                    "HikariCP",
                    com.zaxxer.hikari.HikariDataSource.class,
                    "also with auto-commit off" + ALL,
                    PoolIT.class),
            new Tried(
                    "Tomcat JDBC",
                    org.apache.tomcat.jdbc.pool.DataSource.class,
                    "with its interceptors" + ALL,
                    PoolIT.class),
            new Tried(
                    "DBCP",
                    org.apache.commons.dbcp2.BasicDataSource.class,
                    "with pooled statements" + ALL,
                    PoolIT.class),
            new Tried("Druid", com.alibaba.druid.pool.DruidDataSource.class, "plain" + ALL, PoolIT.class),
            new Tried(
                    "Druid",
                    com.alibaba.druid.pool.DruidDataSource.class,
                    "with filters stat, slf4j and wall, and pooled statements" + ALL,
                    LayersIT.class),
            new Tried(
                    "p6spy",
                    com.p6spy.engine.spy.P6DataSource.class,
                    "beneath the pool (H2, MariaDB, PostgreSQL), above it (MariaDB, PostgreSQL)",
                    LayersIT.class),
            new Tried(
                    "datasource-proxy",
                    net.ttddyy.dsproxy.support.ProxyDataSource.class,
                    "above the pool; MariaDB, PostgreSQL",
                    LayersIT.class),
            new Tried(
                    "dynamic-datasource",
                    com.baomidou.dynamic.datasource.DynamicRoutingDataSource.class,
                    "PostgreSQL, MariaDB in a group and an H2 added later, in one global transaction",
                    LayersIT.class),
            new Tried(
                    "ShardingSphere-JDBC",
                    org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource.class,
                    "two shards, with pools of its own (from YAML; H2, MariaDB), as driver beneath a pool, with pools that are beans (MariaDB)",
                    ShardingSphereIT.class),
            new Tried(
                    "Spring's AbstractRoutingDataSource, LazyConnectionDataSourceProxy, TransactionAwareDataSourceProxy",
                    org.springframework.jdbc.core.JdbcTemplate.class,
                    "MariaDB, PostgreSQL",
                    LayersIT.class),
            new Tried(
                    "Flyway",
                    org.flywaydb.core.Flyway.class,
                    "runs the shipped script for an account without DDL rights" + ALL,
                    MigrationIT.class),
            new Tried(
                    "Liquibase",
                    liquibase.Liquibase.class,
                    "runs the shipped change log for an account without DDL rights" + ALL,
                    MigrationIT.class));

    @Test
    void theGuideListsWhatIsTried() {
        StringBuilder table = new StringBuilder("| | tried | by |%n|---|---|---|%n".formatted());
        TRIED.forEach(tried -> table.append(tried.row()));
        GeneratedDoc.of("guide.md").checkSection("works-with", table.toString());
    }
}
