package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.AtDataSource;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** An application and the databases that it alone works on. */
final class Application implements AutoCloseable {

    private final List<TestDatabase> databases;
    private final ConfigurableApplicationContext context;
    private final List<Object> seen = new ArrayList<>();

    private Application(List<TestDatabase> databases, ConfigurableApplicationContext context) {
        this.databases = databases;
        this.context = context;
    }

    /** Starts the application; its first database is {@code spring.datasource}, and each one {@code database.<n>} as well. */
    static Application start(Class<?> configuration, List<TestDatabase> databases, List<String> properties) {
        Map<String, Object> all = new TreeMap<>();
        TestDatabase first = databases.get(0);
        all.put("spring.datasource.url", url(first));
        all.put("spring.datasource.username", first.user());
        all.put("spring.datasource.password", first.password());
        all.put("spring.datasource.hikari.maximum-pool-size", 4);
        all.put("spring.datasource.hikari.minimum-idle", 1);
        for (int i = 0; i < databases.size(); i++) {
            all.put("database." + i + ".url", url(databases.get(i)));
            all.put("database." + i + ".spied-url", url(databases.get(i)).replaceFirst("jdbc:", "jdbc:p6spy:"));
            all.put("database." + i + ".bare-url", url(databases.get(i)).replaceFirst(";.*", ""));
            all.put("database." + i + ".username", databases.get(i).user());
            all.put("database." + i + ".password", databases.get(i).password());
        }
        all.put("spring.main.banner-mode", "off");
        all.put("spring.application.name", configuration.getSimpleName());
        for (String property : properties) {
            int equals = property.indexOf('=');
            all.put(property.substring(0, equals), property.substring(equals + 1));
        }
        return new Application(
                databases,
                new SpringApplicationBuilder(configuration)
                        .web(WebApplicationType.NONE)
                        .properties(all)
                        .run());
    }

    /** Without the way in which MariaDB's driver sends batches: it leaves generated numbers out, so that those of two runs differ. */
    private static String url(TestDatabase database) {
        return database.kind() == DatabaseKind.MARIADB
                ? database.jdbcUrl() + "?useBulkStmtsForInserts=false"
                : database.jdbcUrl();
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    <T> T bean(String name, Class<T> type) {
        return context.getBean(name, type);
    }

    List<TestDatabase> databases() {
        return databases;
    }

    TestDatabase database() {
        assertThat(databases).hasSize(1);
        return databases.get(0);
    }

    /** Something that the work came to see: the same with and without a global transaction. */
    void saw(Object something) {
        seen.add(something);
    }

    /** What it came to see since this was last asked. */
    List<Object> seen() {
        List<Object> since = List.copyOf(seen);
        seen.clear();
        return since;
    }

    /** The rows of all its databases, as somebody sees them who does not know of global transactions. */
    Map<String, List<String>> rows() {
        Map<String, List<String>> rows = new TreeMap<>();
        for (int i = 0; i < databases.size(); i++) {
            for (Map.Entry<String, List<String>> table :
                    Rows.of(databases.get(i)).entrySet()) {
                rows.put(i + " " + table.getKey(), table.getValue());
            }
        }
        return rows;
    }

    /** Undo records in all its databases. */
    int undoRecords() {
        return databases.stream().mapToInt(Rows::undoRecords).sum();
    }

    /** Names of its data sources in which AT mode takes part. */
    List<String> wrapped() {
        return context.getBeansOfType(AtDataSource.class).keySet().stream()
                .sorted()
                .toList();
    }

    @Override
    public void close() {
        context.close();
    }
}
