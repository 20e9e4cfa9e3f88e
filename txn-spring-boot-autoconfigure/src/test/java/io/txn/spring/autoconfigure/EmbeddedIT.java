package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.TransactionSummary;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.TxnException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.util.FileSystemUtils;

/** A coordinator within the application: one key, the real thing, and nothing left of it. */
@Timeout(120)
class EmbeddedIT {

    @TempDir
    Path directory;

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    TxnEmbeddedAutoConfiguration.class,
                    TxnAutoConfiguration.class,
                    TxnDataSourceAutoConfiguration.class,
                    DataSourceAutoConfiguration.class,
                    DataSourceTransactionManagerAutoConfiguration.class,
                    JdbcTemplateAutoConfiguration.class))
            .withPropertyValues(
                    "txn.embedded.enabled=true",
                    "spring.datasource.url=jdbc:h2:mem:embedded" + System.nanoTime() + ";DB_CLOSE_DELAY=-1");

    @Test
    void oneKeyIsEnoughToCommitAndToRollBack() {
        Path[] temporary = new Path[1];
        try (LogLines log = LogLines.of("io.txn")) {
            int[] port = new int[1];
            runner.run(context -> {
                JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                jdbc.execute("CREATE TABLE t (id INT PRIMARY KEY)");
                inGlobal(context, () -> jdbc.update("INSERT INTO t VALUES (1)"));
                IllegalStateException wish = new IllegalStateException("roll back");
                assertThat(catchThrowable(() -> inGlobal(context, () -> {
                            jdbc.update("INSERT INTO t VALUES (2)");
                            throw wish;
                        })))
                        .isSameAs(wish);
                assertThat(jdbc.queryForList("SELECT id FROM t", Integer.class)).containsExactly(1);
                EmbeddedCoordinator coordinator = context.getBean(EmbeddedCoordinator.class);
                assertThat(coordinator.healthy()).isTrue();
                port[0] = Integer.parseInt(coordinator.address().split(":")[1]);
                temporary[0] = coordinator.directory();
                assertThat(temporary[0]).isDirectory();
            });
            assertThat(log.from(Level.INFO)).anySatisfy(line -> assertThat(line)
                    .contains("embedded coordinator", "for development and tests only", "data=temporary"));
            assertThat(log.from(Level.WARN)).isEmpty();
            assertThat(catchThrowable(() -> new Socket("127.0.0.1", port[0]).close()))
                    .isNotNull();
            assertThat(temporary[0]).doesNotExist();
        }
    }

    /** The application ends within a transaction: the journal that knows what has to be put back is not deleted. */
    @Test
    void whatIsNotFinishedIsKept() {
        Path[] kept = new Path[1];
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withPropertyValues("txn.embedded.shutdown-timeout=10ms", "txn.client.shutdown-timeout=10ms")
                    .run(context -> {
                        JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                        jdbc.execute("CREATE TABLE held (id INT PRIMARY KEY)");
                        kept[0] = context.getBean(EmbeddedCoordinator.class).directory();
                        assertThat(catchThrowable(() -> context.getBean(GlobalTransactionTemplate.class)
                                        .execute(
                                                GlobalTransactionOptions.named("interrupted")
                                                        .withTimeout(Duration.ofMinutes(30)),
                                                () -> {
                                                    jdbc.update("INSERT INTO held VALUES (1)");
                                                    context.getSourceApplicationContext()
                                                            .close();
                                                    return null;
                                                })))
                                .as("the commit")
                                .isInstanceOf(TxnException.class);
                    });
            assertThat(log.from(Level.WARN)).anySatisfy(line -> assertThat(line)
                    .contains("not finished", "txn.embedded.data-dir=" + kept[0], "unfinished=1"));
        }
        try (TestCoordinator again = TestCoordinator.start(kept[0])) {
            TransactionSummary transaction = again.transaction("interrupted");
            assertThat(transaction.state()).isEqualTo(TransactionState.ACTIVE);
            assertThat(again.detail(transaction.xid()).branches()).hasSize(1);
        }
        FileSystemUtils.deleteRecursively(kept[0].toFile());
    }

    @Test
    void itGoesBeforeOthersAndSaysSo() {
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withPropertyValues(
                            "txn.coordinator.address=127.0.0.1:1", "txn.embedded.data-dir=" + directory.resolve("own"))
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBean(CoordinatorLocator.class).current())
                                .hasToString("["
                                        + context.getBean(EmbeddedCoordinator.class)
                                                .address() + "]");
                    });
            assertThat(log.from(Level.INFO))
                    .anySatisfy(line -> assertThat(line).contains("notUsed=txn.coordinator.address"));
        }
        assertThat(directory.resolve("own").resolve("journal")).isDirectory();
    }

    @Test
    void aLocatorOfOnesOwnAndASwitchedOffStarterHaveNone() {
        runner.withBean(CoordinatorLocator.class, () -> AddressListLocator.of(List.of("127.0.0.1:1")))
                .withPropertyValues("txn.client.fail-fast=false")
                .run(context -> assertThat(context).doesNotHaveBean(EmbeddedCoordinator.class));
        runner.withPropertyValues("txn.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(EmbeddedCoordinator.class));
    }

    @Test
    void withoutTheCoordinatorsJarTheStartSaysWhatIsMissing() {
        runner.withClassLoader(new FilteredClassLoader(Coordinator.class))
                .run(context -> assertThat(new TxnFailureAnalyzer(null).analyze(context.getStartupFailure()))
                        .satisfies(analysis -> assertThat(analysis.getDescription())
                                .contains("txn.embedded.enabled", "io.txn:txn-coordinator")));
    }

    private static void inGlobal(ApplicationContext context, Runnable work) throws Throwable {
        context.getBean(GlobalTransactionTemplate.class).execute(GlobalTransactionOptions.named("embedded"), () -> {
            work.run();
            return null;
        });
    }
}
