package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.Arguments;
import org.springframework.util.FileSystemUtils;

/**
 * One application three times, each on databases of its own: without the starter, in global transactions that are rolled back, and in such that
 * are committed. All three do the same work in the same order, so that also the generated keys can be compared.
 */
final class Rig implements AutoCloseable {

    private static final Duration MAX = Duration.ofSeconds(60);

    private final Path directory;
    private final Coordinator coordinator;
    private final List<Application> applications = new ArrayList<>();
    private final List<TestDatabase> databases = new ArrayList<>();

    private Rig(Path directory, Coordinator coordinator) {
        this.directory = directory;
        this.coordinator = coordinator;
    }

    /** What an application does, in several local transactions or one. */
    interface Work {
        void run(Application application) throws Throwable;
    }

    /** Starts with one database. */
    static Rig start(Class<?> configuration, DatabaseKind kind, Consumer<TestDatabase> setUp, String... properties) {
        return start(configuration, List.of(kind), databases -> setUp.accept(databases.get(0)), List.of(properties));
    }

    /** @param setUp makes the tables of one application's databases */
    static Rig start(
            Class<?> configuration,
            List<DatabaseKind> kinds,
            Consumer<List<TestDatabase>> setUp,
            List<String> properties) {
        Path directory = temporary();
        Rig rig = new Rig(
                directory,
                Coordinator.start(
                        CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory)));
        try {
            for (boolean enabled : new boolean[] {false, true, true}) {
                List<TestDatabase> databases =
                        kinds.stream().map(TestDatabases::of).toList();
                rig.databases.addAll(databases);
                setUp.accept(databases);
                List<String> all = new ArrayList<>(properties);
                all.add("txn.enabled=" + enabled);
                all.add("txn.coordinator.address=127.0.0.1:" + rig.coordinator.tcpPort());
                rig.applications.add(Application.start(configuration, databases, all));
            }
            return rig;
        } catch (RuntimeException | Error e) {
            rig.close();
            throw e;
        }
    }

    /** Each subject on one kind of database, and in the wide form on every kind. */
    static Stream<Arguments> onDatabases(List<?> subjects, DatabaseKind... kinds) {
        int times = Boolean.getBoolean("txn.test.wide") ? kinds.length : 1;
        return IntStream.range(0, subjects.size()).boxed().flatMap(subject -> IntStream.range(subject, subject + times)
                .mapToObj(kind -> Arguments.of(subjects.get(subject), kinds[kind % kinds.length])));
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("txn-frameworks");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Application plain() {
        return applications.get(0);
    }

    Application rolledBack() {
        return applications.get(1);
    }

    Application committed() {
        return applications.get(2);
    }

    /** Work that has to change something, in any number of local transactions. */
    void check(Work work) {
        check(-1, work);
    }

    /** @param branches how many local transactions change something; -1 when the framework decides that */
    void check(int branches, Work work) {
        Map<String, List<String>> empty = plain().rows();
        run(work, plain());
        Map<String, List<String>> expected = plain().rows();
        List<Object> seen = plain().seen();
        assertThat(expected).as("what plain use changes").isNotEqualTo(empty);

        Map<String, List<String>> before = rolledBack().rows();
        IllegalStateException wish = new IllegalStateException("roll back");
        Throwable thrown = catchThrowable(() -> inGlobal(rolledBack(), () -> {
            run(work, rolledBack());
            assertThat(rolledBack().rows()).as("before the rollback").isNotEqualTo(before);
            requireOneUndoRecordEach(rolledBack(), branches);
            throw wish;
        }));
        if (thrown != wish) {
            throw new AssertionError("what was to be rolled back", thrown);
        }
        assertThat(thrown).satisfies(told -> assertThat(told.getSuppressed())
                .singleElement()
                .isInstanceOfSatisfying(TxnException.class, outcome -> assertThat(outcome.code())
                        .isEqualTo(ErrorCode.ROLLED_BACK)));
        rolledBack().seen();
        assertThat(rolledBack().rows()).as("rolled back").isEqualTo(before);
        assertThat(rolledBack().undoRecords()).as("undo records left").isZero();

        assertThat(catchThrowable(() -> inGlobal(committed(), () -> {
                    run(work, committed());
                    requireOneUndoRecordEach(committed(), branches);
                })))
                .as("the commit")
                .isNull();
        assertThat(committed().rows()).as("committed").isEqualTo(expected);
        assertThat(committed().seen()).as("seen").isEqualTo(seen);
        Await.until("no undo record is left", MAX, () -> committed().undoRecords() == 0);
    }

    /** Work that is refused before anything is changed; {@code code} is null where the framework does not say why. */
    void checkRefused(@Nullable ErrorCode code, Work work) {
        Map<String, List<String>> before = rolledBack().rows();
        Throwable thrown = catchThrowable(() -> inGlobal(rolledBack(), () -> run(work, rolledBack())));
        assertThat(thrown).isNotNull();
        if (code != null) {
            assertThat(Stream.iterate(thrown, Objects::nonNull, Throwable::getCause)
                            .filter(TxnException.class::isInstance)
                            .map(cause -> ((TxnException) cause).code()))
                    .as("%s", thrown)
                    .contains(code);
        }
        assertThat(rolledBack().rows()).isEqualTo(before);
        assertThat(rolledBack().undoRecords()).isZero();
    }

    /** Prepares, in all three alike and outside of any global transaction, what a later check works on. */
    void prepare(Work work) {
        applications.forEach(application -> run(work, application));
    }

    private void run(Work work, Application application) {
        try {
            work.run(application);
        } catch (Throwable e) {
            throw new AssertionError("in the application that is " + name(application) + ": " + e, e);
        }
    }

    private String name(Application application) {
        return List.of("plain", "rolled back", "committed").get(applications.indexOf(application));
    }

    private static void inGlobal(Application application, Runnable work) throws Throwable {
        application
                .bean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named("frameworks").withTimeout(Duration.ofMinutes(5)), () -> {
                    work.run();
                    return null;
                });
    }

    /** A data source that is wrapped twice would register two branches for one local transaction. */
    private void requireOneUndoRecordEach(Application application, int branches) {
        Xid xid = application.bean(ContextCarrier.class).current().xid();
        int registered;
        try {
            registered = coordinator
                    .transaction(xid)
                    .get(20, TimeUnit.SECONDS)
                    .orElseThrow()
                    .branches()
                    .size();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        assertThat(registered).as("branches").isPositive();
        assertThat(application.undoRecords())
                .as("undo records, as many as branches")
                .isEqualTo(registered);
        if (branches >= 0) {
            assertThat(registered)
                    .as("local transactions that changed something")
                    .isEqualTo(branches);
        }
    }

    @Override
    public void close() {
        applications.forEach(Application::close);
        coordinator.close();
        databases.forEach(TestDatabase::giveBack);
        try {
            FileSystemUtils.deleteRecursively(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
