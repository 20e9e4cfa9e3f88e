package io.txn.client.fence;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Flyway finds the scripts by directories and names of its own; they are the same scripts. */
class FenceScriptsTest {

    @ParameterizedTest
    @CsvSource({"h2,h2", "mysql,mysql", "mariadb,mysql", "postgresql,postgresql"})
    void flywaysScriptsAreTheShippedOnes(String vendor, String script) throws IOException {
        assertThat(text("flyway/" + vendor + "/R__txn_fence.sql")).isEqualTo(text(script + ".sql"));
        assertThat(text("liquibase.xml")).contains("\"" + script + ".sql\"");
    }

    private static String text(String name) throws IOException {
        try (InputStream in = FenceScriptsTest.class.getResourceAsStream("/io/txn/client/fence/schema/" + name)) {
            assertThat(in).as(name).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
