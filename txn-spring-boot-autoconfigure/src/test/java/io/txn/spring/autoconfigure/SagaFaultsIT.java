package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.client.saga.SagaOutcome;
import io.txn.client.saga.Started;
import io.txn.protocol.saga.SagaHead;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Applications that are killed in a step of a saga or in what undoes it, or never answer: another instance goes on, and each step happens once or not at all. */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SagaFaultsIT {

    private static final Duration MAX = Duration.ofSeconds(90);
    private static final Duration LONG = Duration.ofMinutes(2);

    private Path directory;
    private TestCoordinator coordinator;
    private int processes;

    @BeforeAll
    void start(@TempDir Path scratch) {
        directory = scratch;
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
    }

    @AfterAll
    void stop() {
        coordinator.close();
    }

    @ParameterizedTest
    @CsvSource({
        "take, MARIADB, bob, DONE, 90+110",
        "give, POSTGRESQL, bob, DONE, 90+110",
        "untake, MARIADB, nobody, COMPENSATED, 100+100"
    })
    void whatAKilledApplicationBeganAnotherOneEndsOnce(
            String where, DatabaseKind kind, String to, SagaHead.State state, String money) throws Exception {
        TestDatabase database = accounts(kind);
        String xid;
        try (JavaProcess doomed = payer(coordinator.port(), database, where, to, LONG)) {
            xid = started(doomed);
            doomed.awaitLine("in " + where, MAX);
            doomed.kill9();
            assertThat(doomed.waitFor(MAX)).isTrue();
        }
        try (SagaPayer heir = new SagaPayer(coordinator.port(), database.dataSource(), LONG, 0)) {
            assertThat(ended(heir, xid).state()).isEqualTo(state);
        }
        assertThat(money(database)).isEqualTo(money);
        assertNothingIsLeft(database, state);
    }

    @Test
    void aStepThatDoesNotAnswerInTimeTurnsTheSagaAndIsUndoneThoughItWentThrough() throws Exception {
        TestDatabase database = accounts(DatabaseKind.POSTGRESQL);
        Duration within = Duration.ofSeconds(2);
        Path go = directory.resolve("late");
        try (JavaProcess late = payer(coordinator.port(), database, "take", "bob", within, go.toString())) {
            String xid = started(late);
            late.awaitLine("in take", MAX);
            try (SagaPayer other = new SagaPayer(coordinator.port(), database.dataSource(), within, 0)) {
                Started<String> saga = other.find(xid);
                Await.until("it turns back", MAX, () -> saga.now().state() == SagaHead.State.COMPENSATING);
                assertThat(money(database)).as("nothing of it is committed").isEqualTo("100+100");
                Files.createFile(go);
                SagaOutcome<String> outcome = ended(other, xid);
                assertThat(outcome.state()).isEqualTo(SagaHead.State.COMPENSATED);
                assertThat(outcome.failure()).contains("take");
            }
        }
        assertThat(money(database)).isEqualTo("100+100");
        assertNothingIsLeft(database, SagaHead.State.COMPENSATED);
    }

    @Test
    void aCompensationThatFailsFiveTimesSucceedsInTheEnd() {
        TestDatabase database = accounts(DatabaseKind.MARIADB);
        try (SagaPayer payer = new SagaPayer(coordinator.port(), database.dataSource(), LONG, 5)) {
            Started<String> saga = payer.start("nobody", 10);
            SagaOutcome<String> outcome = ended(payer, saga.xid().value());
            assertThat(outcome.state()).isEqualTo(SagaHead.State.COMPENSATED);
            assertThat(outcome.failure()).contains("nobody is called nobody");
            assertThat(payer.failuresLeft()).isZero();
        }
        assertThat(money(database)).isEqualTo("100+100");
        assertNothingIsLeft(database, SagaHead.State.COMPENSATED);
    }

    /** The next coordinator calls a step again that has gone through meanwhile, and its answer was lost. */
    @Test
    void aSagaGoesOnFromWhereItWasWhenItsCoordinatorIsKilled() throws Exception {
        TestDatabase database = accounts(DatabaseKind.MARIADB);
        Path data = directory.resolve("killed");
        Path go = directory.resolve("go");
        try (JavaProcess first = JavaProcess.mainClass(CoordinatorMain.class)
                .args(data.toString(), "0")
                .start(directory.resolve("first.log"))) {
            int port = Integer.parseInt(
                    first.awaitLine("serving on 127.0.0.1:(\\d+)", MAX).group(1));
            try (JavaProcess payer = payer(port, database, "give", "bob", LONG, go.toString())) {
                String xid = started(payer);
                payer.awaitLine("in give", MAX);
                first.kill9();
                assertThat(first.waitFor(MAX)).isTrue();
                Files.createFile(go);
                Await.until(
                        "the step has gone through", MAX, () -> money(database).equals("90+110"));
                try (TestCoordinator second = TestCoordinator.start(data, port);
                        SagaPayer other = new SagaPayer(second.port(), database.dataSource(), LONG, 0)) {
                    SagaOutcome<String> outcome = ended(other, xid);
                    assertThat(outcome.state()).isEqualTo(SagaHead.State.DONE);
                    assertThat(outcome.result()).isEqualTo("given to bob");
                }
            }
        }
        assertThat(money(database)).isEqualTo("90+110");
        assertNothingIsLeft(database, SagaHead.State.DONE);
    }

    private JavaProcess payer(
            int port, TestDatabase database, String where, String to, Duration within, String... goesOnWith) {
        List<String> arguments = new ArrayList<>(List.of(
                Integer.toString(port),
                database.jdbcUrl(),
                database.user(),
                database.password(),
                where,
                to,
                Long.toString(within.toMillis())));
        arguments.addAll(List.of(goesOnWith));
        return JavaProcess.mainClass(SagaPayer.class)
                .args(arguments.toArray(String[]::new))
                .start(directory.resolve(where + "-" + processes++ + ".log"));
    }

    private static String started(JavaProcess payer) {
        return payer.awaitLine("started (\\S+)", MAX).group(1);
    }

    private static SagaOutcome<String> ended(SagaPayer payer, String xid) {
        Started<String> saga = payer.find(xid);
        Await.until("it has ended", MAX, () -> saga.await(Duration.ofSeconds(5)).isEnded());
        return saga.now();
    }

    private static TestDatabase accounts(DatabaseKind kind) {
        TestDatabase database = TestDatabases.of(kind);
        database.execute(
                "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance INT NOT NULL)",
                "INSERT INTO account VALUES ('alice', 100), ('bob', 100)");
        return database;
    }

    private static String money(TestDatabase database) {
        return Leftovers.query(database, "SELECT balance FROM account WHERE name = 'alice'") + "+"
                + Leftovers.query(database, "SELECT balance FROM account WHERE name = 'bob'");
    }

    /** Of a saga that is done its two steps keep their rows, for as long as a saga may take: nothing tells them that it is over. */
    private static void assertNothingIsLeft(TestDatabase database, SagaHead.State state) {
        Fence.of(database.dataSource(), FenceOptions.DEFAULTS.withKeep(Duration.ofMillis(1)))
                .cleanUp();
        assertThat(Leftovers.query(database, "SELECT COUNT(*) FROM txn_fence WHERE branch_id <> 0"))
                .isEqualTo(state == SagaHead.State.DONE ? "2" : "0");
        assertThat(Leftovers.query(database, "SELECT COUNT(*) FROM txn_fence WHERE branch_id <> 0 AND state <> 2"))
                .isEqualTo("0");
    }
}
