package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import io.txn.test.VirtualThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** Global transactions on virtual threads, in which Spring Boot handles requests when it is told to; from Java 21 on. */
@EnabledIf("io.txn.test.VirtualThreads#exist")
@Timeout(300)
class VirtualThreadsIT {

    private static final int THREADS = VirtualThreads.MORE_THAN_CARRIERS;
    private static final Duration LONG = Duration.ofMinutes(4);

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void moreAtOnceThanThereAreThreadsToCarryThemDecideEachOnItsOwn(DatabaseKind kind) throws Exception {
        TestDatabase database = TestDatabases.of(kind);
        database.execute("CREATE TABLE account (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)");
        try (Coordinator coordinator = Coordinator.start(
                        CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory));
                Application application = Application.start(
                        PoolIT.App.class,
                        List.of(database),
                        List.of(
                                "spring.datasource.hikari.connection-timeout=" + LONG.toMillis(),
                                "txn.coordinator.address=127.0.0.1:" + coordinator.tcpPort()))) {
            JdbcTemplate jdbc = application.bean(JdbcTemplate.class);
            for (int i = 0; i < THREADS; i++) {
                jdbc.update("INSERT INTO account (id, amount) VALUES (?, 100)", i);
            }
            CyclicBarrier inside = new CyclicBarrier(THREADS);
            ExecutorService threads = VirtualThreads.newExecutor();
            List<Future<Boolean>> kept = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int id = i;
                kept.add(threads.submit(() -> purchase(application, id, inside)));
            }
            for (int i = 0; i < THREADS; i++) {
                assertThat(kept.get(i).get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(i % 3 != 0);
            }
            threads.shutdown();
            assertThat(jdbc.queryForList("SELECT id FROM account WHERE amount = 100 ORDER BY id", Integer.class))
                    .as("rolled back")
                    .hasSize(THREADS / 3)
                    .allMatch(id -> id % 3 == 0);
            assertThat(jdbc.queryForObject("SELECT COUNT(*) FROM account WHERE amount = 1", Integer.class))
                    .as("committed")
                    .isEqualTo(THREADS - THREADS / 3);
            Await.until("no undo record is left", LONG, () -> application.undoRecords() == 0);
        }
    }

    /** Returns whether it was committed. */
    private static boolean purchase(Application application, int id, CyclicBarrier inside) {
        assertThat(VirtualThreads.isThis()).isTrue();
        ContextCarrier contexts = application.bean(ContextCarrier.class);
        IllegalStateException wish = new IllegalStateException("roll back");
        Throwable thrown = catchThrowable(() -> application
                .bean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named("virtual").withTimeout(LONG), () -> {
                    inside.await(LONG.toSeconds(), TimeUnit.SECONDS);
                    application.bean(TransactionTemplate.class).executeWithoutResult(status -> application
                            .bean(JdbcTemplate.class)
                            .update("UPDATE account SET amount = 1 WHERE id = ?", id));
                    if (id % 3 == 0) {
                        throw wish;
                    }
                    return contexts.current().xid();
                }));
        assertThat(contexts.current()).as("left behind on the thread").isNull();
        if (thrown != null && thrown != wish) {
            throw new AssertionError("account " + id, thrown);
        }
        return thrown == null;
    }
}
