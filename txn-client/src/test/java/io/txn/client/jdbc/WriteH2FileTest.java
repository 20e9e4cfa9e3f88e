package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** In files, whose path is the resource's name. */
class WriteH2FileTest extends WriteContract {

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
}
