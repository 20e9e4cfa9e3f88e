package io.txn.test.frameworks;

import io.txn.client.jdbc.AtDataSource;
import io.txn.test.DatabaseKind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The statements of a shipped script. */
final class Scripts {

    private Scripts() {}

    static List<String> of(DatabaseKind kind) {
        String name =
                "/io/txn/client/jdbc/schema/flyway/" + kind.name().toLowerCase(Locale.ROOT) + "/R__txn_undo_log.sql";
        try (InputStream in = AtDataSource.class.getResourceAsStream(name)) {
            return Stream.of(new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .replaceAll("(?m)^--.*$", "")
                            .split(";"))
                    .filter(sql -> !sql.isBlank())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
