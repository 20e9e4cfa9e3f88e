package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceVerdict;
import io.txn.client.fence.JdbcFenceTransaction;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.DatabaseFindings;
import io.txn.protocol.BranchId;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.liquibase.autoconfigure.LiquibaseAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;

/** An account that may read and write rows and nothing else; the shipped scripts are run by an account that may do more. */
@ExtendWith(OutputCaptureExtension.class)
class MigrationIT {

    private static final String ACCOUNT = "only_rows";
    private static final String PASSWORD = "only-rows-1";

    @ImportAutoConfiguration({
        DataSourceAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        FlywayAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class,
        LiquibaseAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @WithTheStarter
    static class App {}

    /** The tables, and an account that may work on their rows and on those of tables that come later. */
    private static void create(TestDatabase database) {
        Shop.create(database);
        switch (database.kind()) {
            case H2 ->
                database.execute(
                        "CREATE USER IF NOT EXISTS " + ACCOUNT + " PASSWORD '" + PASSWORD + "'",
                        "GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA PUBLIC TO " + ACCOUNT);
            case MARIADB ->
                database.execute(
                        "CREATE USER IF NOT EXISTS " + ACCOUNT + "@'%' IDENTIFIED BY '" + PASSWORD + "'",
                        "GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON `" + database.name() + "`.* TO " + ACCOUNT
                                + "@'%'");
            case POSTGRESQL ->
                database.execute(
                        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '" + ACCOUNT
                                + "') THEN CREATE ROLE " + ACCOUNT + " LOGIN PASSWORD '" + PASSWORD
                                + "'; END IF; END $$",
                        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + ACCOUNT,
                        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "
                                + ACCOUNT,
                        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO " + ACCOUNT);
        }
    }

    /** With the table that a migration tool made, and rights on rows only. */
    private static void theFenceWorks(Rig rig) {
        DataSource source = rig.committed().bean(AtDataSource.class).physical();
        Fence fence = Fence.of(source, FenceOptions.DEFAULTS.withCreateTable(false));
        FenceKey key = FenceKey.of(Xid.of("127.0.0.1:8091", 1), new BranchId(2));
        List<FenceVerdict> verdicts = new ArrayList<>();
        for (FencePhase phase : new FencePhase[] {FencePhase.FIRST, FencePhase.CANCEL, FencePhase.CANCEL}) {
            try {
                verdicts.add(fence.pass(new JdbcFenceTransaction(source), key, phase, passage -> "")
                        .verdict());
            } catch (Throwable e) {
                throw new AssertionError(phase + " failed: " + e, e);
            }
        }
        assertThat(verdicts).containsExactly(FenceVerdict.RUN, FenceVerdict.RUN, FenceVerdict.REPEATED);
        fence.cleanUp();
    }

    private static String[] properties(String... more) {
        List<String> all = new ArrayList<>(List.of(
                "spring.datasource.url=${database.0.bare-url}", // in H2's there are settings for administrators only
                "spring.datasource.username=" + ACCOUNT,
                "spring.datasource.password=" + PASSWORD,
                "spring.flyway.enabled=false",
                "spring.liquibase.enabled=false"));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    @ParameterizedTest
    @EnumSource
    void flywayRunsTheShippedScript(DatabaseKind kind) {
        try (Rig rig = Rig.start(
                App.class,
                kind,
                MigrationIT::create,
                properties(
                        "txn.jdbc.create-undo-table=false",
                        "spring.flyway.enabled=true",
                        "spring.flyway.url=${database.0.url}",
                        "spring.flyway.user=${database.0.username}",
                        "spring.flyway.password=${database.0.password}",
                        "spring.flyway.baseline-on-migrate=true",
                        "spring.flyway.locations=classpath:io/txn/client/jdbc/schema/flyway/{vendor},"
                                + "classpath:io/txn/client/fence/schema/flyway/{vendor}"))) {
            Purchases.check(rig, Purchases::inOneTransaction);
            theFenceWorks(rig);
        }
    }

    /** Spring Boot takes the URL from the application's data source then, which is the wrapped one. */
    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "POSTGRESQL"})
    void aMigrationToolNeedsAnAccountAndNoUrlOfItsOwn(DatabaseKind kind) {
        for (String tool : List.of("flyway", "liquibase")) {
            try (Rig rig = Rig.start(
                    App.class,
                    kind,
                    MigrationIT::create,
                    properties(
                            "txn.jdbc.create-undo-table=false",
                            "spring." + tool + ".enabled=true",
                            "spring." + tool + ".user=${database.0.username}",
                            "spring." + tool + ".password=${database.0.password}",
                            "spring.flyway.baseline-on-migrate=true",
                            "spring.flyway.locations=classpath:io/txn/client/jdbc/schema/flyway/{vendor},"
                                    + "classpath:io/txn/client/fence/schema/flyway/{vendor}",
                            "spring.liquibase.analytics-enabled=false",
                            "spring.liquibase.change-log=classpath:both-tables.xml"))) {
                theFenceWorks(rig);
                assertThat(looked(rig).undoTableProblem()).as(tool).isNull();
                assertThat(looked(rig).tablesWithoutKey()).as(tool).isEmpty();
            }
        }
    }

    private static DatabaseFindings looked(Rig rig) {
        try {
            return rig.committed().bean(AtDataSource.class).look();
        } catch (SQLException e) {
            throw new AssertionError("the database could not be asked", e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void liquibaseRunsTheShippedChangelog(DatabaseKind kind) {
        try (Rig rig = Rig.start(
                App.class,
                kind,
                MigrationIT::create,
                properties(
                        "txn.jdbc.create-undo-table=false",
                        "spring.liquibase.enabled=true",
                        "spring.liquibase.analytics-enabled=false",
                        "spring.liquibase.url=${database.0.url}",
                        "spring.liquibase.user=${database.0.username}",
                        "spring.liquibase.password=${database.0.password}",
                        "spring.liquibase.change-log=classpath:both-tables.xml"))) {
            Purchases.check(rig, Purchases::inOneTransaction);
            theFenceWorks(rig);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsMissingIsSaidAtTheStartWithTheScriptThatMakesIt(DatabaseKind kind, CapturedOutput output) {
        String script = "io/txn/client/jdbc/schema/"
                + switch (kind) {
                    case H2 -> "h2";
                    case MARIADB -> "mysql";
                    case POSTGRESQL -> "postgresql";
                }
                + ".sql";
        for (boolean mayCreate : new boolean[] {false, true}) {
            TxnException said = whyNotStarted(kind, MigrationIT::create, "txn.jdbc.create-undo-table=" + mayCreate);
            assertThat(said).hasMessageContaining("TXN-AT002").hasMessageContaining("undo_log");
            assertThat(said.facts()).containsEntry("script", script);
            assertThat(said.facts().containsKey("creating")).isEqualTo(mayCreate);
            requireOnTheConsole(said, output);
        }
    }

    /** What a start failed with: it wraps what its beans throw. */
    private static TxnException whyNotStarted(DatabaseKind kind, Consumer<TestDatabase> setUp, String... more) {
        Throwable failure = catchThrowable(() -> Rig.start(App.class, kind, setUp, properties(more)));
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .filter(TxnException.class::isInstance)
                .map(TxnException.class::cast)
                .findFirst()
                .orElseThrow(() -> new AssertionError("not why the start should have failed", failure));
    }

    /** Whoever starts it reads what happened, where, and what to do, and no stack. */
    private static void requireOnTheConsole(TxnException said, CapturedOutput output) {
        String text = output.getAll();
        text = text.substring(text.lastIndexOf("APPLICATION FAILED TO START"));
        assertThat(text)
                .contains(said.code().id() + ": " + said.code().sentence(), "Action:")
                .containsIgnoringCase(said.code().fix())
                .doesNotContain("\tat ");
        said.facts().forEach((key, value) -> assertThat(output.getAll()).contains(key + ": " + value));
    }

    /** Everything is there, and the account may not do with it what phase two does. */
    @ParameterizedTest
    @EnumSource(names = {"H2", "POSTGRESQL"})
    void aRightThatIsMissingIsSaidAtTheStart(DatabaseKind kind, CapturedOutput output) {
        TxnException said = whyNotStarted(
                kind,
                database -> {
                    create(database);
                    for (String sql : Scripts.of(kind)) {
                        database.execute(sql);
                    }
                    database.execute(
                            kind == DatabaseKind.H2
                                    ? "REVOKE DELETE ON SCHEMA PUBLIC FROM " + ACCOUNT
                                    : "REVOKE DELETE ON undo_log FROM " + ACCOUNT);
                },
                "txn.jdbc.create-undo-table=false");
        assertThat(said).hasMessageContaining("TXN-AT002").hasMessageContaining("could not DELETE");
        requireOnTheConsole(said, output);
    }
}
