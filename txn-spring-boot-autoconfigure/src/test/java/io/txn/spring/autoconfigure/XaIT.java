package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.WorkMode;
import io.txn.client.jdbc.XaReconciler;
import io.txn.spring.GlobalTransactional;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** XA mode by one line of configuration: the annotation, a pool, a real coordinator, real databases. */
@Timeout(180)
class XaIT {

    @TempDir
    Path directory;

    static class Bank {

        private final JdbcTemplate jdbc;
        private final TransactionTemplate local;

        Bank(JdbcTemplate jdbc, TransactionTemplate local) {
            this.jdbc = jdbc;
            this.local = local;
        }

        @GlobalTransactional(name = "prepared", mode = WorkMode.XA)
        public void prepared() {
            jdbc.update("UPDATE account SET amount = amount + 1 WHERE id = 1");
            assertThat(jdbc.queryForObject("SELECT amount FROM account WHERE id = 1", Integer.class))
                    .as("not seen before the decision")
                    .isEqualTo(100);
            plainly.run();
        }

        private Runnable plainly = () -> {};

        public void plainly(Runnable work) {
            plainly = work;
        }

        @GlobalTransactional(name = "transfer")
        public void transfer(boolean keep) {
            local.executeWithoutResult(status -> jdbc.update("UPDATE account SET amount = amount - 10 WHERE id = 1"));
            jdbc.update("UPDATE account SET amount = amount + 10 WHERE id = 2");
            if (!keep) {
                throw new IllegalStateException("no");
            }
        }
    }

    @Test
    void anAnnotationWantsItOfADataSourceThatIsNotSetUpSo() {
        TestDatabase database = TestDatabases.of(DatabaseKind.POSTGRESQL);
        database.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            runner(coordinator, database).run(context -> {
                Bank bank = context.getBean(Bank.class);
                JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                List<String> types = new ArrayList<>();
                bank.plainly(() -> coordinator
                        .detail(coordinator.transaction("prepared").xid())
                        .branches()
                        .forEach(branch -> types.add(branch.type().name())));
                bank.prepared();
                assertThat(types).containsExactly("XA");
                assertThat(jdbc.queryForObject("SELECT amount FROM account WHERE id = 1", Integer.class))
                        .isEqualTo(101);
                assertThat(jdbc.queryForObject("SELECT COUNT(*) FROM undo_log", Integer.class))
                        .as("the others go on in AT mode")
                        .isZero();
                bank.transfer(true);
                assertThat(jdbc.queryForList("SELECT amount FROM account ORDER BY id", Integer.class))
                        .containsExactly(91, 110);
                assertThat(context.getBean(XaReconciler.class).orphans()).isEmpty();
            });
        }
    }

    private static ApplicationContextRunner runner(TestCoordinator coordinator, TestDatabase database) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        TxnAutoConfiguration.class,
                        TxnDataSourceAutoConfiguration.class,
                        AopAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withBean(Bank.class)
                .withPropertyValues(
                        coordinator.property(),
                        "spring.application.name=bank",
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password());
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aDataSourceInXaModeIsDecidedWithItsTransactionAndNeedsNoUndoTable(DatabaseKind kind) {
        TestDatabase database = TestDatabases.of(kind);
        database.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            runner(coordinator, database)
                    .withPropertyValues("txn.jdbc.xa=dataSource")
                    .run(context -> {
                        JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
                        Bank bank = context.getBean(Bank.class);
                        bank.transfer(true);
                        assertThat(jdbc.queryForList("SELECT amount FROM account ORDER BY id", Integer.class))
                                .containsExactly(90, 110);
                        assertThat(catchThrowable(() -> bank.transfer(false))).hasMessage("no");
                        assertThat(jdbc.queryForList("SELECT amount FROM account ORDER BY id", Integer.class))
                                .containsExactly(90, 110);
                        assertThat(coordinator.transactions())
                                .extracting(transaction -> transaction.state().name())
                                .containsExactlyInAnyOrder("COMMITTED", "ROLLED_BACK");
                        assertThat(catchThrowable(() -> jdbc.queryForList("SELECT * FROM undo_log")))
                                .as("there is no undo table")
                                .isNotNull();
                    });
        }
    }
}
