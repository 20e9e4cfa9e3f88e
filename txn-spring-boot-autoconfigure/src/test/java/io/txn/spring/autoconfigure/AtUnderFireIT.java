package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.test.Await;
import io.txn.test.DatabaseServer;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * AT mode while everything is killed at random: two applications, one of which reaches the databases by another URL, the coordinator, both database servers and their sessions; and applications
 * that stand still until their transactions are over. Then nothing is lost, doubled, held or left open, and no person is asked. {@code -Dtxn.test.seed} says what is killed, {@code -Dtxn.test.rounds} how often.
 */
@Timeout(1_800)
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class AtUnderFireIT {

    private static final Duration MAX = Duration.ofSeconds(300);
    private static final long SEED = Long.getLong("txn.test.seed", System.nanoTime());
    private static final int ROUNDS =
            Integer.getInteger("txn.test.rounds", Boolean.getBoolean("txn.test.full") ? 200 : 12);

    @TempDir
    Path directory;

    private final Random random = new Random(SEED);
    private final int port = Ports.free();
    private final List<JavaProcess> movers = new ArrayList<>();
    private JavaProcess coordinator;
    private TestDatabase maria;
    private TestDatabase postgres;

    @Test
    void whateverIsKilledNothingIsLostOrLeft() throws Exception {
        System.out.println("seed " + SEED);
        try (DatabaseServer mariaDb = TestDatabases.startMariaDb(DatabaseServer.Durability.PROCESS);
                DatabaseServer postgresServer = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS)) {
            maria = mariaDb.create();
            postgres = postgresServer.create();
            AtMover.fill(maria, true);
            AtMover.fill(postgres, false);
            try {
                coordinator = JavaProcess.mainClass(CoordinatorMain.class)
                        .args(directory.resolve("coordinator").toString(), Integer.toString(port))
                        .start(directory.resolve("coordinator.log"));
                coordinator.awaitLine("serving", MAX);
                movers.add(mover("127.0.0.1", 2));
                movers.add(mover("localhost", 2));
                for (int round = 0; round < ROUNDS; round++) {
                    for (JavaProcess mover : movers) {
                        mover.awaitLine("kept 1", MAX);
                    }
                    Thread.sleep(random.nextInt(1_500));
                    fire(mariaDb, postgresServer);
                }
                movers.forEach(JavaProcess::kill9);
                coordinator.kill9();
                coordinator.waitFor(MAX);
                endsAll();
            } finally {
                movers.forEach(JavaProcess::close);
                coordinator.close();
            }
        }
    }

    private void fire(DatabaseServer mariaDb, DatabaseServer postgresServer) throws Exception {
        int mover = random.nextInt(movers.size());
        int what = random.nextInt(8);
        System.out.println("fire " + what + " at " + mover);
        switch (what) {
            case 0, 1 -> {
                movers.get(mover).kill9();
                movers.get(mover).waitFor(MAX);
                movers.set(mover, mover(mover == 0 ? "127.0.0.1" : "localhost", 2));
            }
            case 2, 3 -> {
                coordinator.kill9();
                coordinator.waitFor(MAX);
                Thread.sleep(random.nextInt(1_000));
                coordinator = coordinator.again();
                coordinator.awaitLine("serving", MAX);
            }
            case 4 -> {
                mariaDb.kill9();
                Thread.sleep(random.nextInt(1_000));
                mariaDb.restart();
            }
            case 5 -> {
                postgresServer.kill9();
                Thread.sleep(random.nextInt(1_000));
                postgresServer.restart();
            }
            case 6 -> {
                movers.get(mover).pause();
                Thread.sleep(random.nextInt(6_000));
                movers.get(mover).resume();
            }
            default -> killSessions();
        }
    }

    private void killSessions() {
        postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        maria.execute(
                "BEGIN NOT ATOMIC FOR s IN (SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()) DO"
                        + " BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; KILL s.id; END; END FOR; END");
    }

    private JavaProcess mover(String host, int threads) throws IOException {
        return JavaProcess.mainClass(AtMover.class)
                .args(
                        Integer.toString(port),
                        Integer.toString(threads),
                        maria.jdbcUrl().replace("127.0.0.1", host),
                        maria.user(),
                        maria.password(),
                        postgres.jdbcUrl().replace("127.0.0.1", host),
                        postgres.user(),
                        postgres.password())
                .start(directory.resolve("mover-" + host + System.nanoTime() + ".log"));
    }

    private void endsAll() throws Exception {
        try (TestCoordinator now = TestCoordinator.start(directory.resolve("coordinator"), port);
                AtMover heir = new AtMover(port, maria.dataSource(), postgres.dataSource())) {
            movers.set(0, mover("127.0.0.1", 0));
            movers.set(1, mover("localhost", 0));
            Await.until(
                    "everything is decided and carried out, or a person is asked",
                    MAX,
                    () -> now.statistics().unfinished() == now.statistics().needingAttention());
            assertThat(now.transactions().stream()
                            .filter(one -> one.state() == TransactionState.NEEDS_ATTENTION)
                            .map(one -> one + " " + now.detail(one.xid())))
                    .isEmpty();
            assertThat(now.statistics().locks()).isZero();
            System.out.println(now.statistics());
            assertThat(heir).isNotNull();
        }
        for (TestDatabase database : List.of(maria, postgres)) {
            assertThat(Leftovers.query(database, "SELECT COUNT(*) FROM undo_log WHERE log_status = 0"))
                    .isEqualTo("0");
        }
        assertThat(number(maria, "SELECT SUM(amount) FROM account")
                        + number(postgres, "SELECT SUM(amount) FROM account"))
                .isEqualTo(2 * 1000 * AtMover.ROWS);
        for (TestDatabase database : List.of(maria, postgres)) {
            assertThat(number(database, "SELECT SUM(amount) FROM account") - 1000 * AtMover.ROWS)
                    .isEqualTo(number(database, "SELECT COALESCE(SUM(amount), 0) FROM ledger"));
        }
        assertThat(number(maria, "SELECT COUNT(*) FROM ledger"))
                .isEqualTo(number(postgres, "SELECT COUNT(*) FROM ledger"))
                .isPositive();
        assertThat(number(maria, "SELECT SUM(id) FROM token")
                        + number(postgres, "SELECT COALESCE(SUM(id), 0) FROM token"))
                .isEqualTo(AtMover.ROWS * (AtMover.ROWS + 1) / 2);
    }

    private static long number(TestDatabase database, String sql) {
        return Long.parseLong(Leftovers.query(database, sql));
    }
}
