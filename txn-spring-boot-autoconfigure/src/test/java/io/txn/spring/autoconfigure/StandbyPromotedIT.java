package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.DatabaseServer;
import io.txn.test.PostgresStandby;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A PostgreSQL server is killed with prepared branches of XA mode, and its standby takes its place: with what had reached it by then. */
@Timeout(180)
class StandbyPromotedIT {

    private static final Duration MAX = Duration.ofSeconds(90);
    private static final Duration LIMIT = Duration.ofMinutes(5);

    @TempDir
    Path directory;

    @Test
    void whatReachedTheStandbyEndsThereAndWhatDidNotIsSaid() throws Throwable {
        try (DatabaseServer primary = TestDatabases.startPostgres(DatabaseServer.Durability.PROCESS);
                TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            List<TestDatabase> databases = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                TestDatabase database = primary.create();
                database.execute("CREATE TABLE account (amount INT NOT NULL)", "INSERT INTO account VALUES (100)");
                databases.add(database);
            }
            try (PostgresStandby standby = TestDatabases.startStandby(primary);
                    XaTransfer kept = transfer(coordinator, databases, 0);
                    XaTransfer lost = transfer(coordinator, databases, 2);
                    XaTransfer held = transfer(coordinator, databases, 4)) {
                held.move("first", LIMIT); // its answers bring ids to name transactions by
                List<CompletableFuture<Void>> taken = new ArrayList<>();
                kept.move("kept", LIMIT, true, () -> {
                    standby.awaitCaughtUp();
                    standby.kill9();
                    Throwable none = catchThrowable(() -> lost.move("lost", LIMIT, true, () -> {
                        Throwable unknown = catchThrowable(() -> held.take("held", LIMIT, () -> {
                            primary.kill9();
                            taken.add(CompletableFuture.runAsync(standby::takeOver));
                        }));
                        // Whether it was on its way to be prepared, because it was held for long, or to be committed.
                        assertThat(unknown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                                .isIn(ErrorCode.OUTCOME_UNKNOWN, ErrorCode.HELD_WORK_FAILED));
                    }));
                    assertThat(none).isNull();
                });
                taken.forEach(CompletableFuture::join);

                Await.until(
                        "what reached the standby is committed there",
                        MAX,
                        () -> coordinator.transaction("kept").state().name().equals("COMMITTED"));
                assertThat(amounts(databases, 0)).isEqualTo("90+110");
                Await.until(
                        "what did not is waited for, and why",
                        MAX,
                        () -> coordinator.detail(coordinator.transaction("lost").xid()).branches().stream()
                                .allMatch(branch -> String.valueOf(branch.cause())
                                        .contains(ErrorCode.XA_BRANCH_NOT_ON_STANDBY.id())));
                assertThat(coordinator.transaction("lost").state().name()).isEqualTo("COMMITTING");
                assertThat(amounts(databases, 2)).isEqualTo("100+100");
                assertThat(amounts(databases, 4))
                        .as("of the one that was held nothing was sent")
                        .isEqualTo("90+110");

                kept.move("later", LIMIT);
                Await.until("it goes on with the standby", MAX, () -> amounts(databases, 0)
                        .equals("80+120"));
            }
        }
    }

    private static XaTransfer transfer(TestCoordinator coordinator, List<TestDatabase> databases, int from) {
        return new XaTransfer(
                coordinator.port(),
                databases.get(from).dataSource(),
                databases.get(from + 1).dataSource(),
                "nowhere");
    }

    private static String amounts(List<TestDatabase> databases, int from) {
        return Leftovers.query(databases.get(from), "SELECT amount FROM account") + "+"
                + Leftovers.query(databases.get(from + 1), "SELECT amount FROM account");
    }
}
