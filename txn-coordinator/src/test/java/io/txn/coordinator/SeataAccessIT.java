package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.access.Secret;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.TlsContext;
import io.txn.test.SeataClient;
import io.txn.test.SeataClient.Mode;
import io.txn.test.SeataClient.Source;
import io.txn.test.SeataClient.Version;
import io.txn.test.TestAuthority;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real Seata client with an access key, in plain text beside TLS, before a coordinator that asks for it. */
@Timeout(300)
class SeataAccessIT {

    private static final TestAuthority AUTHORITY = new TestAuthority("ours");

    @TempDir
    Path directory;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        TlsContext context =
                TlsContext.of(TestAuthority.context(AUTHORITY.issue("coordinator", "127.0.0.1"), AUTHORITY));
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(directory.resolve("coordinator"))
                .withTls(new ServerTls(() -> context, ServerTls.ClientAuth.NEED, false))
                .withAccess(new AccessRules(
                        List.of(new ClientEntry(
                                "shop",
                                List.of(),
                                null,
                                "ak-of-the-test",
                                new Secret("sk-of-the-test"),
                                List.of(),
                                List.of("shop"),
                                List.of("jdbc:mysql:*"))),
                        SeataResourceManagers.BY_TRANSACTION_MANAGER)));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private SeataClient client(String application, List<Source> sources, String... jvm) {
        return SeataClient.start(
                Version.V2_6,
                "127.0.0.1:" + coordinator.tcpPort(),
                application,
                directory.resolve("client-" + application),
                sources,
                jvm);
    }

    @Test
    void itsDigestLetsItInWithItsResources() throws Exception {
        TestDatabase stock = TestDatabases.mariaDb().withMySqlDriver();
        stock.execute(SeataClient.undoTable(), "CREATE TABLE t_stock (id INT PRIMARY KEY, pieces INT NOT NULL)");
        stock.execute("INSERT INTO t_stock VALUES (1, 5)");
        try (SeataClient client = client(
                "shop",
                List.of(new Source(Mode.AT, stock)),
                "-Dtxn.test.access-key=ak-of-the-test",
                "-Dtxn.test.secret-key=sk-of-the-test")) {
            String xid = client.begin(Duration.ofMinutes(1));
            assertThat(client.execute(xid, 0, "UPDATE t_stock SET pieces = 4 WHERE id = 1"))
                    .isEqualTo("[1]");
            assertThat(client.rollback(xid)).isEqualTo("Rollbacked");
            xid = client.begin(Duration.ofMinutes(1));
            client.execute(xid, 0, "UPDATE t_stock SET pieces = 3 WHERE id = 1");
            assertThat(client.commit(xid)).isEqualTo("Committed");
        }
        try (var connection = stock.dataSource().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT pieces FROM t_stock")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getInt(1)).isEqualTo(3);
        }
    }

    @Test
    void withAnotherSecretKeyItIsRefused() {
        refused("-Dtxn.test.access-key=ak-of-the-test", "-Dtxn.test.secret-key=another");
    }

    @Test
    void withoutAnAccessKeyItIsRefused() {
        refused();
    }

    /** It ends at its start, and says in its log that it could not register. */
    private void refused(String... jvm) {
        assertThatThrownBy(() -> client("shop", List.of(), jvm).close())
                .hasMessageContaining("ended with exit code")
                .hasMessageContaining("register TM failed");
        assertThat(coordinator.statistics().begun()).isZero();
    }
}
