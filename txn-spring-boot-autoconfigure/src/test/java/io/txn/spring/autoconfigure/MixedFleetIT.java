package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.test.Await;
import io.txn.test.SeataClient;
import io.txn.test.SeataClient.Mode;
import io.txn.test.SeataClient.Source;
import io.txn.test.SeataClient.Version;
import io.txn.test.SeataServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * TCC and XA of this product and of a real Seata client in one global transaction, whoever opens it: at our coordinator, and, in the long form, at a real Seata server.
 */
@Timeout(300)
class MixedFleetIT {

    private static final Duration MAX = Duration.ofSeconds(90);
    private static final String FREEZE = "UPDATE account SET balance = balance - 10, frozen = frozen + 10";
    private static final String CONFIRM = "UPDATE account SET frozen = frozen - 10";
    private static final String CANCEL = "UPDATE account SET balance = balance + 10, frozen = frozen - 10";
    private static final String TAKE = "UPDATE account SET balance = balance - 10";

    @TempDir
    Path directory;

    @Test
    void tccAndXaOfBothSortsEndTogetherAtOurCoordinator() throws Throwable {
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            endTogether(coordinator.address());
            Await.until(
                    "all of them have ended",
                    MAX,
                    () -> coordinator.statistics().unfinished() == 0);
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    void tccAndXaOfBothSortsEndTogetherAtASeataServer() throws Throwable {
        try (SeataServer server = SeataServer.start(directory.resolve("server"))) {
            endTogether(server.address());
        }
    }

    private void endTogether(String address) throws Throwable {
        int port = Integer.parseInt(address.replaceFirst(".*:", ""));
        TestDatabase theirTcc = account(TestDatabases.mariaDb().withMySqlDriver(), "theirs");
        TestDatabase theirXa = account(TestDatabases.mariaDb().withMySqlDriver(), "theirs");
        TestDatabase ourTcc = account(TestDatabases.postgres(), "ours");
        List<TestDatabase> ourXa = List.of(amount(TestDatabases.mariaDb()), amount(TestDatabases.postgres()));
        try (SeataClient seata = SeataClient.start(
                        Version.V2_6,
                        address,
                        "shop",
                        directory.resolve("client"),
                        List.of(new Source(Mode.XA, theirXa), new Source(Mode.NONE, theirTcc)));
                Payer payer = new Payer(port, ourTcc.dataSource(), "nowhere");
                XaTransfer transfer = new XaTransfer(
                        port, ourXa.get(0).dataSource(), ourXa.get(1).dataSource(), "nowhere")) {
            List<String> expected = new ArrayList<>(List.of("100+0", "100+0", "100+0", "100", "100"));
            int kept = 0;
            for (boolean theyOpen : new boolean[] {true, false}) {
                for (boolean keep : new boolean[] {false, true}) {
                    String what = (theyOpen ? "they open, " : "we open, ") + (keep ? "kept" : "undone");
                    if (theyOpen) {
                        String xid = seata.begin(Duration.ofMinutes(2));
                        theirs(seata, xid);
                        payer.join(xid, "ours", 10);
                        transfer.join(xid);
                        String told = keep ? seata.commit(xid) : seata.rollback(xid);
                        assertThat(told).as(what).isNotNull();
                    } else {
                        Throwable end = catchThrowable(() -> payer.pay("ours", 10, Duration.ofMinutes(2), keep, () -> {
                            String xid = payer.xid();
                            transfer.join(xid);
                            theirs(seata, xid);
                        }));
                        assertThat(end == null).as("%s: %s", what, end).isEqualTo(keep);
                    }
                    kept += keep ? 1 : 0;
                    String accounts = (100 - 10 * kept) + "+0";
                    expected.set(0, accounts);
                    expected.set(1, accounts);
                    expected.set(2, accounts);
                    expected.set(3, Integer.toString(100 - 10 * kept));
                    expected.set(4, Integer.toString(100 + 10 * kept));
                    Await.until(what + ", everywhere", MAX, () -> seen(List.of(theirTcc, theirXa, ourTcc), ourXa)
                            .equals(expected));
                }
            }
            assertThat(Leftovers.prepared(theirXa)
                            + Leftovers.prepared(ourXa.get(0))
                            + Leftovers.prepared(ourXa.get(1)))
                    .isZero();
        }
    }

    private static void theirs(SeataClient seata, String xid) {
        seata.tcc(xid, FREEZE, CONFIRM, CANCEL);
        seata.execute(xid, 0, TAKE);
    }

    private static TestDatabase account(TestDatabase database, String name) {
        database.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES ('" + name + "', 100, 0)");
        return database;
    }

    private static TestDatabase amount(TestDatabase database) {
        database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
        return database;
    }

    private static List<String> seen(List<TestDatabase> accounts, List<TestDatabase> amounts) {
        List<String> seen = new ArrayList<>();
        for (TestDatabase database : accounts) {
            seen.add(Leftovers.query(database, "SELECT balance FROM account") + "+"
                    + Leftovers.query(database, "SELECT frozen FROM account"));
        }
        for (TestDatabase database : amounts) {
            seen.add(Leftovers.query(database, "SELECT amount FROM account"));
        }
        return seen;
    }
}
