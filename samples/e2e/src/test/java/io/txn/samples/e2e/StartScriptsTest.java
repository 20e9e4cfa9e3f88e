package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What the samples run in their databases each time they start, on H2. */
class StartScriptsTest {

    private static final Path SAMPLES = Path.of("..");

    @TestFactory
    Stream<DynamicTest> aSecondStartKeepsWhatWasDoneSinceTheFirst() throws IOException {
        TreeMap<String, List<Path>> scripts = scripts();
        assertThat(scripts.keySet())
                .contains("account-service", "annotated-saga", "saga", "storage-service", "tcc", "xa");
        return scripts.entrySet().stream()
                .map(sample -> DynamicTest.dynamicTest(sample.getKey(), () -> startTwice(sample.getValue())));
    }

    private static void startTwice(List<Path> scripts) {
        TestDatabase database = TestDatabases.h2();
        run(scripts, database);
        takeOneOfEverything(database);
        List<String> used = rows(database);
        run(scripts, database);
        assertThat(rows(database)).isEqualTo(used);
    }

    /** Those of each sample, tables before rows. */
    private static TreeMap<String, List<Path>> scripts() throws IOException {
        TreeMap<String, List<Path>> scripts = new TreeMap<>();
        for (Path sample : listed(SAMPLES)) {
            Path resources = sample.resolve("src/main/resources");
            if (Files.isDirectory(resources)) {
                scripts.put(
                        sample.getFileName().toString(),
                        listed(resources).stream()
                                .filter(file -> file.toString().endsWith(".sql")
                                        && !file.toString().matches(".*-(mariadb|postgresql)\\.sql"))
                                .sorted(Comparator.comparing((Path file) -> file.endsWith("data.sql"))
                                        .thenComparing(Comparator.naturalOrder()))
                                .toList());
            }
        }
        scripts.values().removeIf(List::isEmpty);
        return scripts;
    }

    private static List<Path> listed(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private static void run(List<Path> scripts, TestDatabase database) {
        scripts.forEach(script -> database.execute("RUNSCRIPT FROM '" + script + "'"));
    }

    private static void takeOneOfEverything(TestDatabase database) {
        for (String update : column(
                database,
                "SELECT 'UPDATE \"' || table_name || '\" SET \"' || column_name || '\" = \"' || column_name || '\" - 1'"
                        + " FROM INFORMATION_SCHEMA.COLUMNS WHERE table_schema = 'PUBLIC' AND is_identity = 'NO'"
                        + " AND numeric_precision IS NOT NULL")) {
            database.execute(update);
        }
    }

    private static List<String> rows(TestDatabase database) {
        return column(database, "SCRIPT SIMPLE").stream()
                .filter(statement -> statement.startsWith("INSERT"))
                .sorted()
                .toList();
    }

    private static List<String> column(TestDatabase database, String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            List<String> column = new ArrayList<>();
            while (result.next()) {
                column.add(result.getString(1));
            }
            return column;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
