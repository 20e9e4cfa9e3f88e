package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.doctor.SeenDataSource;
import io.txn.spring.doctor.SeenDataSource.Fate;
import io.txn.spring.doctor.SeenDataSources;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.apache.shardingsphere.driver.api.yaml.YamlShardingSphereDataSourceFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** ShardingSphere-JDBC over two databases: a branch on each of them, and none on what it makes of them. */
class ShardingSphereIT {

    private static final String RULES = """
            rules:
            - !SHARDING
              tables:
                account:
                  actualDataNodes: ds_${0..1}.account
                  databaseStrategy:
                    standard:
                      shardingColumn: id
                      shardingAlgorithmName: by_id
              shardingAlgorithms:
                by_id:
                  type: INLINE
                  props:
                    algorithm-expression: ds_${id % 2}
            - !SINGLE
              tables:
              - ds_0.*
            """;

    private static final String POOL = """
              ds_%d:
                dataSourceClassName: com.zaxxer.hikari.HikariDataSource
                jdbcUrl: '%s'
                username: '%s'
                password: '%s'
                maximumPoolSize: 4
            """;

    /** Of pools that ShardingSphere makes itself. */
    private static String yaml(Environment environment) {
        StringBuilder yaml = new StringBuilder("dataSources:\n");
        for (int shard = 0; shard < 2; shard++) {
            yaml.append(POOL.formatted(
                    shard,
                    environment.getRequiredProperty("database." + shard + ".url"),
                    environment.getRequiredProperty("database." + shard + ".username"),
                    environment.getRequiredProperty("database." + shard + ".password")));
        }
        return yaml.append(RULES).toString();
    }

    @LayersIT.Apps
    static class OfYaml {
        @Bean
        DataSource sharded(Environment environment) throws SQLException, IOException {
            return YamlShardingSphereDataSourceFactory.createDataSource(
                    yaml(environment).getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Its driver beneath a pool, as {@code spring.datasource.url} has it. */
    @LayersIT.Apps
    static class OfTheDriver {
        @Bean
        DataSource sharded(Environment environment) throws SQLException, IOException {
            // Its driver keeps pools by this name, and here each three applications have databases of their own.
            Path file = Path.of(environment.getRequiredProperty("directory"))
                    .resolve(environment.getRequiredProperty("database.0.url").replaceAll("\\W+", "_") + ".yaml");
            Files.writeString(file, yaml(environment));
            HikariDataSource pool = DataSourceBuilder.create()
                    .type(HikariDataSource.class)
                    .driverClassName("org.apache.shardingsphere.driver.ShardingSphereDriver")
                    .url("jdbc:shardingsphere:absolutepath:" + file)
                    .build();
            if (environment.getProperty("opened", boolean.class, false)) {
                pool.getConnection().close();
            }
            return pool;
        }
    }

    /** Pools that are beans, so that they are wrapped before ShardingSphere gets them. */
    @LayersIT.Apps
    static class OfBeans {
        @Bean
        DataSource zero(Environment environment) {
            return pool(environment, 0);
        }

        @Bean
        DataSource one(Environment environment) {
            return pool(environment, 1);
        }

        @Bean
        @Primary
        DataSource sharded(@Qualifier("zero") DataSource zero, @Qualifier("one") DataSource one)
                throws SQLException, IOException {
            return YamlShardingSphereDataSourceFactory.createDataSource(
                    Map.of("ds_0", zero, "ds_1", one), RULES.getBytes(StandardCharsets.UTF_8));
        }

        private static DataSource pool(Environment environment, int shard) {
            return DataSourceBuilder.create()
                    .type(HikariDataSource.class)
                    .url(environment.getRequiredProperty("database." + shard + ".url"))
                    .username(environment.getRequiredProperty("database." + shard + ".username"))
                    .password(environment.getRequiredProperty("database." + shard + ".password"))
                    .build();
        }
    }

    private static void shards(List<TestDatabase> databases) {
        for (int shard = 0; shard < 2; shard++) {
            databases
                    .get(shard)
                    .execute(
                            "CREATE TABLE account (id BIGINT NOT NULL PRIMARY KEY, owner VARCHAR(40), amount DECIMAL(12, 2) NOT NULL)",
                            "INSERT INTO account (id, owner, amount) VALUES (" + (2 + shard) + ", 'ann', 100), ("
                                    + (4 + shard) + ", 'bob', 200)");
        }
    }

    static List<Arguments> formsAndDatabases() {
        return List.of(
                Arguments.of(OfYaml.class, DatabaseKind.MARIADB, List.of("sharded.ds_0", "sharded.ds_1")),
                Arguments.of(OfYaml.class, DatabaseKind.H2, List.of("sharded.ds_0", "sharded.ds_1")),
                Arguments.of(OfTheDriver.class, DatabaseKind.MARIADB, List.of("sharded.ds_0", "sharded.ds_1")),
                Arguments.of(OfBeans.class, DatabaseKind.MARIADB, List.of("one", "zero")));
    }

    @ParameterizedTest
    @MethodSource("formsAndDatabases")
    void eachShardIsABranchOfItsOwn(Class<?> form, DatabaseKind kind, List<String> wrapped, @TempDir Path directory) {
        try (Rig rig =
                Rig.start(form, List.of(kind, kind), ShardingSphereIT::shards, List.of("directory=" + directory))) {
            Map<String, Fate> fates = new TreeMap<>();
            for (SeenDataSource seen :
                    rig.committed().bean(SeenDataSources.class).seen()) {
                fates.put(seen.name(), seen.fate());
            }
            Map<String, Fate> expected = new TreeMap<>(Map.of("sharded", Fate.ABOVE));
            wrapped.forEach(name -> expected.put(name, Fate.WRAPPED));
            assertThat(fates).isEqualTo(expected);

            rig.check(4, application -> {
                JdbcTemplate jdbc = application.bean(JdbcTemplate.class);
                application.bean(TransactionTemplate.class).executeWithoutResult(status -> {
                    jdbc.update("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)", 10, "cid", 1);
                    jdbc.update("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)", 11, "dot", 2);
                    assertThat(jdbc.update("UPDATE account SET amount = amount - 1 WHERE owner = ?", "ann"))
                            .isEqualTo(2);
                    jdbc.update("DELETE FROM account WHERE id = ?", 4);
                });
                // Without a local transaction around: ShardingSphere sends it to the shards from threads of its own.
                assertThat(jdbc.update("UPDATE account SET amount = amount + 7 WHERE amount > 0"))
                        .isEqualTo(5);
                application.saw(jdbc.queryForList("SELECT id, owner, amount FROM account ORDER BY id"));
            });
        }
    }

    /** Without a coordinator, which data sources do not wait for. */
    private static Application start(Class<?> form, List<TestDatabase> databases, Path directory, String... more) {
        List<String> properties = new ArrayList<>(List.of(more));
        properties.addAll(List.of(
                "directory=" + directory,
                "txn.client.fail-fast=false",
                "txn.client.start-wait=1ms",
                "txn.coordinator.address=127.0.0.1:1"));
        return Application.start(form, databases, properties);
    }

    private static List<TestDatabase> databases() {
        List<TestDatabase> databases = List.of(TestDatabases.of(DatabaseKind.H2), TestDatabases.of(DatabaseKind.H2));
        shards(databases);
        return databases;
    }

    @Test
    void aPoolThatOpenedConnectionsBeforeIsRefusedAtTheStart(@TempDir Path directory) {
        assertRefused(
                "opened connections already", () -> start(OfTheDriver.class, databases(), directory, "opened=true"));
    }

    @Test
    void whatIsExcludedByNameIsLeftAsItIs(@TempDir Path directory) {
        try (Application application =
                start(OfYaml.class, databases(), directory, "txn.jdbc.excluded=sharded.ds_0,sharded.ds_1")) {
            assertThat(application.bean(SeenDataSources.class).seen())
                    .extracting(SeenDataSource::fate)
                    .containsExactly(Fate.ABOVE, Fate.EXCLUDED, Fate.EXCLUDED);
        }
    }

    /** The driver keeps them as long as the process lives, and gives them to every application context that names the same URL. */
    @Test
    void thePoolsOfTheDriverBelongToOneContextAtATime(@TempDir Path directory) {
        List<TestDatabase> databases = databases();
        try (Application first = start(OfTheDriver.class, databases, directory)) {
            assertThat(first.bean(SeenDataSources.class).seen()).hasSize(3);
            assertRefused("another application context", () -> start(OfTheDriver.class, databases, directory));
        }
        try (Application next = start(OfTheDriver.class, databases, directory)) {
            assertThat(next.bean(SeenDataSources.class).seen()).hasSize(3);
        }
    }

    private static void assertRefused(String problem, Supplier<Application> start) {
        assertThatThrownBy(() -> start.get().close())
                .rootCause()
                .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.SHARDING_NOT_COVERED))
                .hasMessageContaining(problem);
    }
}
