package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.client.ContextCarrier;
import io.txn.client.LogLines;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** H2 in files: named by their absolute path, and warned about when a commit is answered before it is written. */
class H2FileTest extends AtContract {

    @TempDir
    private Path directory;

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.h2(directory);
    }

    @Test
    void workIsUndoneInFilesToo() {
        Xid xid = begin();
        committed(
                xid,
                "UPDATE account SET amount = 0",
                "DELETE FROM seat WHERE train = 7",
                "INSERT INTO note (text) VALUES ('n')");
        assertThat(accounts()).containsExactly("1|ann|0.00", "2|bob|0.00", "3|cy|0.00");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(seats()).hasSize(3);
        assertThat(notes()).isEmpty();
    }

    @Test
    void theResourceIsNamedByItsAbsolutePath() {
        assertThat(at.resourceId())
                .isEqualTo("jdbc:h2:file:" + directory.toAbsolutePath().resolve(database.name()));
    }

    @Test
    void aWriteDelayIsWarnedAboutOnce() {
        JdbcDataSource lazy = new JdbcDataSource();
        lazy.setURL("jdbc:h2:file:" + directory.resolve("lazy"));
        lazy.setUser("sa");
        lazy.setPassword("");
        try (LogLines lines = LogLines.of(AtDataSource.class.getName())) {
            AtDataSource.wrap(counter, options(), new ContextCarrier(), new InMemoryResourceManager());
            assertThat(lines.from(Level.WARN)).isEmpty();
            AtDataSource.wrap(lazy, options(), new ContextCarrier(), new InMemoryResourceManager());
            assertThat(lines.from(Level.WARN))
                    .singleElement()
                    .satisfies(line -> assertThat(line).contains("TXN-AT009").contains("WRITE_DELAY=0"));
        }
    }
}
