package io.txn.client.jdbc.undo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Flyway finds the scripts by directories and names of its own; they are the same scripts. */
class SchemaScriptsTest {

    @ParameterizedTest
    @CsvSource({"h2,h2", "mysql,mysql", "mariadb,mysql", "postgresql,postgresql"})
    void flywaysScriptsAreTheShippedOnes(String vendor, String script) throws IOException {
        assertThat(text("flyway/" + vendor + "/R__txn_undo_log.sql")).isEqualTo(text(script + ".sql"));
    }

    private static String text(String name) throws IOException {
        try (InputStream in = SchemaScriptsTest.class.getResourceAsStream("/io/txn/client/jdbc/schema/" + name)) {
            assertThat(in).as(name).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
