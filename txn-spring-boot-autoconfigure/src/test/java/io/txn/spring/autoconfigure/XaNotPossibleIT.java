package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.WorkMode;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.doctor.Doctor;
import io.txn.test.DatabaseServer;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;

/** A PostgreSQL server that has prepared transactions switched off, as they are where nobody sets them up. */
@Timeout(120)
class XaNotPossibleIT {

    static class Bank {

        private final JdbcTemplate jdbc;

        Bank(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @GlobalTransactional(name = "strict", mode = WorkMode.XA)
        public void strict() {
            jdbc.update("UPDATE account SET amount = amount + 1");
        }
    }

    @Test
    void aServerThatCannotIsSaidAtTheStartHoweverXaIsWanted(@TempDir Path directory) {
        try (DatabaseServer server = TestDatabases.startPostgres(
                        DatabaseServer.Durability.PROCESS, List.of("max_prepared_transactions=0"));
                TestCoordinator coordinator = TestCoordinator.start(directory)) {
            TestDatabase database = server.create();
            database.execute(
                    "CREATE TABLE account (id INT PRIMARY KEY, amount INT NOT NULL)",
                    "INSERT INTO account VALUES (1, 100)");
            ApplicationContextRunner runner = runner(coordinator, database);
            runner.withPropertyValues("txn.jdbc.mode=xa").run(context -> {
                assertThat(context).hasFailed();
                Throwable cause = context.getStartupFailure();
                while (cause != null && !(cause instanceof TxnException)) {
                    cause = cause.getCause();
                }
                assertThat(cause)
                        .isInstanceOfSatisfying(
                                TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.XA_NOT_POSSIBLE))
                        .hasMessageContaining("max_prepared_transactions = 100 in postgresql.conf");
            });
            // Other methods work in AT mode, so this start goes on, and says it.
            runner.withBean(Bank.class).run(context -> {
                assertThat(context).hasNotFailed();
                assertThat(context.getBean(Doctor.class).examine().problems())
                        .singleElement()
                        .satisfies(finding -> {
                            assertThat(finding.code()).isEqualTo(ErrorCode.XA_NOT_POSSIBLE);
                            assertThat(finding.seen())
                                    .contains("switched off", "max_prepared_transactions = 100", "Bank.strict");
                        });
                assertThat(catchThrowable(() -> context.getBean(Bank.class).strict()))
                        .rootCause()
                        .hasMessageContaining("TXN-XA001");
                assertThat(context.getBean(JdbcTemplate.class)
                                .queryForObject("SELECT amount FROM account", Integer.class))
                        .isEqualTo(100);
            });
            runner.withPropertyValues("txn.jdbc.xa=ledger").run(context -> assertThat(
                            context.getBean(Doctor.class).examine().problems())
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
                        assertThat(finding.seen()).contains("no data source is called ledger", "[dataSource]");
                    }));
            runner.run(context -> assertThat(
                            context.getBean(Doctor.class).examine().problems())
                    .isEmpty());
        }
    }

    private static ApplicationContextRunner runner(TestCoordinator coordinator, TestDatabase database) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        TxnAutoConfiguration.class,
                        TxnDataSourceAutoConfiguration.class,
                        TxnDoctorAutoConfiguration.class,
                        AopAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withPropertyValues(
                        coordinator.property(),
                        "spring.application.name=bank",
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password());
    }
}
