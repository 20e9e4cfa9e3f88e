package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.spring.GlobalTransactional;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
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

        @GlobalTransactional(name = "transfer")
        public void transfer(boolean keep) {
            local.executeWithoutResult(status -> jdbc.update("UPDATE account SET amount = amount - 10 WHERE id = 1"));
            jdbc.update("UPDATE account SET amount = amount + 10 WHERE id = 2");
            if (!keep) {
                throw new IllegalStateException("no");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aDataSourceInXaModeIsDecidedWithItsTransactionAndNeedsNoUndoTable(DatabaseKind kind) {
        TestDatabase database = TestDatabases.of(kind).create();
        database.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, amount INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            new ApplicationContextRunner()
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
                            "spring.datasource.password=" + database.password(),
                            "txn.jdbc.xa=dataSource")
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
