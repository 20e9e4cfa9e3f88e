package io.txn.client.jdbc.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** H2 answers a commit before it is written unless its URL says WRITE_DELAY=0. */
class H2DurabilityTest {

    @TempDir
    Path directory;

    @Test
    void onlyFilesWithAWriteDelayLoseAcknowledgedCommits() throws SQLException {
        String file = "jdbc:h2:file:" + directory.resolve("db");
        assertThat(losesAcknowledgedCommits(file)).isTrue();
        assertThat(losesAcknowledgedCommits(file + ";WRITE_DELAY=200")).isTrue();
        assertThat(losesAcknowledgedCommits(file + ";WRITE_DELAY=0")).isFalse();
        assertThat(losesAcknowledgedCommits("jdbc:h2:mem:")).isFalse();
    }

    private static boolean losesAcknowledgedCommits(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            return Dialect.of(connection).losesAcknowledgedCommits(connection);
        }
    }
}
