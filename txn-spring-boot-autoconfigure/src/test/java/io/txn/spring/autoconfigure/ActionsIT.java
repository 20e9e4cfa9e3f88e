package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Fencing;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceJanitor;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceVerdict;
import io.txn.coordinator.BranchDetail;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.Captured;
import io.txn.spring.EndPolicy;
import io.txn.spring.FenceTemplate;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.SagaAction;
import io.txn.spring.TccAction;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The annotations of TCC and sagas: one application for each database, one real coordinator. */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ActionsIT {

    private static final Duration MAX = Duration.ofSeconds(60);
    private static final AtomicInteger NAMES = new AtomicInteger();

    private TestCoordinator coordinator;
    private final Map<DatabaseKind, ConfigurableApplicationContext> applications = new EnumMap<>(DatabaseKind.class);

    @BeforeAll
    void start(@TempDir Path directory) {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
    }

    @AfterAll
    void stop() {
        applications.values().forEach(ConfigurableApplicationContext::close);
        coordinator.close();
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({
        TxnAutoConfiguration.class,
        TxnDataSourceAutoConfiguration.class,
        TxnModesAutoConfiguration.class,
        AopAutoConfiguration.class,
        DataSourceAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @Import({
        Accounts.class,
        Points.class,
        Trips.class,
        Mails.class,
        Shop.class,
        Vouchers.class,
        Orders.class,
        Stubborn.class
    })
    static class Application {}

    private ConfigurableApplicationContext application(DatabaseKind kind) {
        return applications.computeIfAbsent(kind, wanted -> {
            TestDatabase database = TestDatabases.of(wanted);
            database.execute(
                    "CREATE TABLE account (name VARCHAR(20) PRIMARY KEY, balance DECIMAL(10,2) NOT NULL, frozen DECIMAL(10,2) NOT NULL)",
                    "CREATE TABLE booking (id VARCHAR(40) PRIMARY KEY, guest VARCHAR(20) NOT NULL)");
            return new SpringApplicationBuilder(Application.class)
                    .web(WebApplicationType.NONE)
                    .properties(
                            coordinator.property(),
                            "spring.application.name=bank-" + wanted,
                            "spring.datasource.url=" + database.jdbcUrl(),
                            "spring.datasource.username=" + database.user(),
                            "spring.datasource.password=" + database.password())
                    .run();
        });
    }

    // The application

    /** Freezes money, then takes it or lets it go. Behind a class proxy. */
    static class Accounts {

        private final List<String> calls = new CopyOnWriteArrayList<>();
        private final AtomicInteger failures = new AtomicInteger();
        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Accounts(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        public List<String> calls() {
            return calls;
        }

        public AtomicInteger failures() {
            return failures;
        }

        @TccAction(name = "account/freeze", confirm = "charge", cancel = "release")
        @Transactional
        public String freeze(
                @Captured("name") String name,
                String note,
                @Captured("amount") BigDecimal amount,
                ActionContext context) {
            int rows = jdbc.update(
                    "UPDATE account SET balance = balance - ?, frozen = frozen + ? WHERE name = ? AND balance >= ?",
                    amount,
                    amount,
                    name,
                    amount);
            if (rows == 0) {
                throw new IllegalStateException("not enough");
            }
            if (note.startsWith("fail")) {
                throw new IllegalStateException(note);
            }
            calls.add("freeze " + name + ' ' + context.action());
            return context.branch().toString();
        }

        @Transactional
        public void charge(ActionContext context, String name, BigDecimal amount) {
            assertThat(contexts.current()).isNull();
            calls.add("charge " + name + ' ' + context.action());
            jdbc.update("UPDATE account SET frozen = frozen - ? WHERE name = ?", amount, name);
            failIfWanted();
        }

        public boolean release(String name, BigDecimal amount) {
            calls.add("release " + name);
            jdbc.update(
                    "UPDATE account SET balance = balance + ?, frozen = frozen - ? WHERE name = ?",
                    amount,
                    amount,
                    name);
            return failures.get() <= 0 || failures.decrementAndGet() % 2 == 0;
        }

        private void failIfWanted() {
            if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IllegalStateException("not today");
            }
        }

        @GlobalTransactional(name = "both annotations")
        @TccAction(name = "account/alone", confirm = "charge", cancel = "release")
        public void alone(@Captured("name") String name, @Captured("amount") BigDecimal amount) {
            jdbc.update(
                    "UPDATE account SET balance = balance - ?, frozen = frozen + ? WHERE name = ?",
                    amount,
                    amount,
                    name);
        }

        @TccAction(name = "account/spared", confirm = "charge", cancel = "release")
        @Transactional(noRollbackFor = ArithmeticException.class, isolation = Isolation.REPEATABLE_READ)
        public void spared(@Captured("name") String name, @Captured("amount") BigDecimal amount) {
            jdbc.update(
                    "UPDATE account SET balance = balance - ?, frozen = frozen + ? WHERE name = ?",
                    amount,
                    amount,
                    name);
            throw new ArithmeticException("kept all the same");
        }
    }

    /** Behind an interface, with ends on another bean. */
    interface Bonus {
        void promise(String name, int points);
    }

    static class Points implements Bonus {

        private final JdbcTemplate jdbc;

        Points(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        @TccAction(name = "points/promise", confirm = "give", cancel = "takeBack", on = Trips.class)
        public void promise(@Captured("name") String name, @Captured("points") int points) {
            jdbc.update("UPDATE account SET frozen = frozen + ? WHERE name = ?", points, name);
        }
    }

    record Booking(String id, LocalDate from) {}

    /** Steps of a saga, and the ends of somebody else's action. */
    static class Trips {

        private final List<String> calls = new CopyOnWriteArrayList<>();
        private final JdbcTemplate jdbc;

        Trips(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        public List<String> calls() {
            return calls;
        }

        @SagaAction(name = "trip/hotel", compensation = "cancelHotel")
        @Transactional
        public Booking hotel(@Captured("guest") String guest, @Captured("from") LocalDate from) {
            Booking booking = new Booking("hotel-" + guest, from);
            jdbc.update("INSERT INTO booking (id, guest) VALUES (?, ?)", booking.id(), guest);
            return booking;
        }

        @Transactional
        public void cancelHotel(ActionContext context, String guest, LocalDate from, Booking booking) {
            calls.add("cancelHotel " + booking.id() + ' ' + booking.from().equals(from));
            jdbc.update("DELETE FROM booking WHERE id = ?", booking.id());
        }

        @SagaAction(name = "trip/car", compensation = "cancelCar")
        public void car(@Captured("guest") String guest) {
            jdbc.update("INSERT INTO booking (id, guest) VALUES (?, ?)", "car-" + guest, guest);
        }

        public void cancelCar(String guest) {
            calls.add("cancelCar " + guest);
            jdbc.update("DELETE FROM booking WHERE id = ?", "car-" + guest);
        }

        public void give(String name, int points) {
            jdbc.update(
                    "UPDATE account SET frozen = frozen - ?, balance = balance + ? WHERE name = ?",
                    points,
                    points,
                    name);
        }

        public void takeBack(String name, int points) {
            jdbc.update("UPDATE account SET frozen = frozen - ? WHERE name = ?", points, name);
        }
    }

    /** Every method of it opens a global transaction, but for its ends. */
    @GlobalTransactional
    static class Vouchers {

        private final JdbcTemplate jdbc;

        Vouchers(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @TccAction(name = "voucher/spend", confirm = "spent", cancel = "kept")
        public void spend(@Captured("name") String name, @Captured("fails") boolean fails) {
            jdbc.update("UPDATE account SET frozen = frozen + 1 WHERE name = ?", name);
            if (fails) {
                throw new IllegalStateException("not valid");
            }
        }

        public void spent(String name, boolean fails) {
            jdbc.update("UPDATE account SET frozen = frozen - 1, balance = balance - 1 WHERE name = ?", name);
        }

        public void kept(String name, boolean fails) {
            jdbc.update("UPDATE account SET frozen = frozen - 1 WHERE name = ?", name);
        }
    }

    /** Reaches beyond the database, and returns what only a box can be without. */
    static class Orders {

        private final List<String> calls = new CopyOnWriteArrayList<>();

        public List<String> calls() {
            return calls;
        }

        @SagaAction(name = "order/remote", compensation = "undo", fencing = Fencing.REMOTE)
        public long remote(@Captured("id") String id, @Captured("fails") boolean fails) {
            return act(fails);
        }

        @SagaAction(name = "order/bare", compensation = "undo", fencing = Fencing.NONE)
        public long bare(@Captured("id") String id, @Captured("fails") boolean fails) {
            return act(fails);
        }

        private static long act(boolean fails) {
            if (fails) {
                throw new IllegalStateException("broke off");
            }
            return 42;
        }

        public void undo(String id, boolean fails, Long result) {
            calls.add(id + ' ' + result);
        }
    }

    /** Reaches beyond the database. */
    static class Mails {

        private final List<String> sent = new CopyOnWriteArrayList<>();

        public List<String> sent() {
            return sent;
        }

        @SagaAction(name = "mail/send", compensation = "apologize", fencing = Fencing.REMOTE)
        public String send(@Captured("to") String to, @Captured("fails") boolean fails) {
            sent.add("hello " + to);
            if (fails) {
                throw new IllegalStateException("half sent");
            }
            return "id-" + to;
        }

        public void apologize(String to, boolean fails, String id) {
            sent.add("sorry " + to + ' ' + id);
        }

        @TccAction(name = "mail/bare", confirm = "done", cancel = "undone", fencing = Fencing.NONE)
        public void bare(@Captured("to") String to) {
            sent.add("bare " + to);
        }

        public void done(String to) {
            sent.add("done " + to);
        }

        public void undone(String to) {
            sent.add("undone " + to);
        }
    }

    /** Says how long and how often its end is called, which never works. */
    static class Stubborn {

        private final AtomicInteger calls = new AtomicInteger();
        private final AtomicInteger secondsLeft = new AtomicInteger();
        private final DataSource dataSource;

        Stubborn(DataSource dataSource) {
            this.dataSource = dataSource;
        }

        public AtomicInteger calls() {
            return calls;
        }

        public AtomicInteger secondsLeft() {
            return secondsLeft;
        }

        @SagaAction(
                name = "stubborn/act",
                compensation = "undo",
                ends = @EndPolicy(callTimeout = "60s", firstDelay = "100ms", maxDelay = "100ms", maxAttempts = 3))
        public void act(@Captured("id") String id) {}

        public void undo(String id) {
            calls.incrementAndGet();
            if (TransactionSynchronizationManager.getResource(dataSource) instanceof ConnectionHolder holder) {
                secondsLeft.set(holder.getTimeToLiveInSeconds());
            }
            throw new IllegalStateException("never");
        }
    }

    static class Shop {

        private final JdbcTemplate jdbc;

        Shop(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Transactional
        public void captured(String name) {
            jdbc.update("UPDATE account SET balance = balance + 1000 WHERE name = ?", name);
        }
    }

    // Helpers

    /** An account of its own for each test. */
    private String account(ConfigurableApplicationContext application) {
        String name = "a" + NAMES.incrementAndGet();
        application.getBean(JdbcTemplate.class).update("INSERT INTO account VALUES (?, 100, 0)", name);
        return name;
    }

    private static String money(ConfigurableApplicationContext application, String name) {
        return application
                .getBean(JdbcTemplate.class)
                .queryForObject(
                        "SELECT balance, frozen FROM account WHERE name = ?",
                        (row, i) -> row.getBigDecimal(1).intValue() + "+"
                                + row.getBigDecimal(2).intValue(),
                        name);
    }

    private static long bookings(ConfigurableApplicationContext application, String guest) {
        Long count = application
                .getBean(JdbcTemplate.class)
                .queryForObject("SELECT COUNT(*) FROM booking WHERE guest = ?", Long.class, guest);
        return count == null ? -1 : count;
    }

    private interface Work {
        void run() throws Throwable;
    }

    private Throwable global(ConfigurableApplicationContext application, String name, Work work) {
        return catchThrowable(() -> application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name), () -> {
                    work.run();
                    return "";
                }));
    }

    private void awaitEnd(String name, String state) {
        Await.until(
                name + " is " + state,
                MAX,
                () -> coordinator.transaction(name).state().name().equals(state));
    }

    private static String unique(String name) {
        return name + NAMES.incrementAndGet();
    }

    private static final BigDecimal TEN = BigDecimal.TEN;

    @Test
    void theEndOfAnActionIsCalledAsOftenAndForAsLongAsItSays() {
        ConfigurableApplicationContext application = application(DatabaseKind.H2);
        Stubborn stubborn = application.getBean(Stubborn.class);
        String name = unique("stubborn");
        assertThat(global(application, name, () -> {
                    stubborn.act("1");
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(name, "NEEDS_ATTENTION");
        assertThat(coordinator.detail(coordinator.transaction(name).xid()).branches())
                .extracting(BranchDetail::attempts)
                .containsExactly(3);
        assertThat(stubborn.calls()).hasValue(3);
        assertThat(stubborn.secondsLeft().get())
                .as("two thirds of the time of its call")
                .isBetween(15, 40);
    }

    // TCC

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aCommitConfirmsAndARollbackCancelsOnce(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        Bonus bonus = application.getBean(Bonus.class);
        String one = account(application);
        String two = account(application);
        String commit = unique("commit");
        assertThat(global(application, commit, () -> {
                    accounts.freeze(one, "", TEN, null);
                    bonus.promise(one, 5);
                    assertThat(money(application, one)).isEqualTo("90+15");
                }))
                .isNull();
        assertThat(money(application, one))
                .as("confirmed before the caller went on")
                .isEqualTo("95+0");
        awaitEnd(commit, "COMMITTED");
        String rollback = unique("rollback");
        assertThat(global(application, rollback, () -> {
                    accounts.freeze(two, "", TEN, null);
                    bonus.promise(two, 5);
                    throw new IllegalStateException("changed my mind");
                }))
                .hasMessage("changed my mind");
        awaitEnd(rollback, "ROLLED_BACK");
        assertThat(money(application, two)).isEqualTo("100+0");
        assertThat(accounts.calls())
                .contains("freeze " + one + " account/freeze", "charge " + one + " account/freeze", "release " + two)
                .doesNotContain("charge " + two, "release " + one);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void atAndTccAreDecidedTogether(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        String one = account(application);
        String two = account(application);
        String name = unique("mixed");
        assertThat(global(application, name, () -> {
                    application.getBean(Shop.class).captured(one);
                    application.getBean(Accounts.class).freeze(two, "", TEN, null);
                    assertThat(coordinator.transactions().stream()
                                    .filter(t -> t.name().equals(name))
                                    .findFirst())
                            .hasValueSatisfying(
                                    t -> assertThat(coordinator.detail(t.xid()).branches())
                                            .extracting(branch -> branch.type().name())
                                            .containsExactly("AT", "TCC"));
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(name, "ROLLED_BACK");
        assertThat(money(application, one)).isEqualTo("100+0");
        assertThat(money(application, two)).isEqualTo("100+0");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void aTryThatFailedAndWasCaughtIsNeverCalledAgain(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        String poor = account(application);
        String rich = account(application);
        String name = unique("caught");
        assertThat(global(application, name, () -> {
                    assertThatThrownBy(() -> accounts.freeze(poor, "fail now", TEN, null))
                            .hasMessage("fail now");
                    accounts.freeze(rich, "", TEN, null);
                }))
                .isNull();
        awaitEnd(name, "COMMITTED");
        assertThat(money(application, poor)).isEqualTo("100+0");
        assertThat(money(application, rich)).isEqualTo("90+0");
        assertThat(accounts.calls()).noneMatch(call -> call.contains(poor));
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void endsThatFailAreCalledUntilTheyReturn(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        String one = account(application);
        String two = account(application);
        accounts.failures().set(2);
        String commit = unique("stubborn commit");
        assertThat(global(application, commit, () -> accounts.freeze(one, "", TEN, null)))
                .isNull();
        awaitEnd(commit, "COMMITTED");
        assertThat(money(application, one))
                .as("what failed was taken back each time")
                .isEqualTo("90+0");
        assertThat(accounts.calls().stream().filter(call -> call.startsWith("charge " + one)))
                .hasSize(3);
        accounts.failures().set(2);
        String rollback = unique("stubborn rollback");
        assertThat(global(application, rollback, () -> {
                    accounts.freeze(two, "", TEN, null);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(rollback, "ROLLED_BACK");
        assertThat(money(application, two))
                .as("an answer of false takes it back too")
                .isEqualTo("100+0");
        assertThat(accounts.calls().stream().filter(call -> call.equals("release " + two)))
                .hasSize(2);
        accounts.failures().set(0);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void bothAnnotationsOnOneMethodAndAnExceptionThatIsSpared(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        String one = account(application);
        accounts.alone(one, TEN);
        Await.until("it is charged", MAX, () -> money(application, one).equals("90+0"));
        String two = account(application);
        String name = unique("spared");
        assertThat(global(application, name, () -> accounts.spared(two, TEN))).isInstanceOf(ArithmeticException.class);
        awaitEnd(name, "ROLLED_BACK");
        assertThat(money(application, two))
                .as("committed locally, then cancelled")
                .isEqualTo("100+0");
        assertThat(accounts.calls()).contains("release " + two);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void insideALocalTransactionOfOthersItIsPartOfThat(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        TransactionTemplate local = new TransactionTemplate(
                application.getBean(org.springframework.transaction.PlatformTransactionManager.class));
        String one = account(application);
        String kept = unique("joined");
        assertThat(global(
                        application,
                        kept,
                        () -> local.executeWithoutResult(status -> accounts.freeze(one, "", TEN, null))))
                .isNull();
        awaitEnd(kept, "COMMITTED");
        assertThat(money(application, one)).isEqualTo("90+0");
        String dropped = unique("dropped");
        // The local transaction is rolled back without an exception, behind the back of everybody.
        Throwable refused = global(
                application,
                dropped,
                () -> local.executeWithoutResult(status -> {
                    accounts.freeze(one, "", TEN, null);
                    status.setRollbackOnly();
                }));
        assertThat(refused).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        awaitEnd(dropped, "ROLLED_BACK");
        assertThat(money(application, one)).isEqualTo("90+0");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void anActionThatASavepointTookBackIsNotConfirmed(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Accounts accounts = application.getBean(Accounts.class);
        var manager = application.getBean(org.springframework.transaction.PlatformTransactionManager.class);
        TransactionTemplate outer = new TransactionTemplate(manager);
        TransactionTemplate nested = new TransactionTemplate(manager);
        nested.setPropagationBehavior(TransactionTemplate.PROPAGATION_NESTED);
        String one = account(application);
        String name = unique("nested");
        // The outer local transaction commits, and nobody sees an exception.
        Throwable refused = global(
                application,
                name,
                () -> outer.executeWithoutResult(all -> nested.executeWithoutResult(part -> {
                    accounts.freeze(one, "", TEN, null);
                    part.setRollbackOnly();
                })));
        assertThat(refused).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        awaitEnd(name, "ROLLED_BACK");
        assertThat(money(application, one)).isEqualTo("100+0");
        assertThat(accounts.calls()).doesNotContain("release " + one);
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void anAnnotationOnTheClassDoesNotMeanTheEnds(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Vouchers vouchers = application.getBean(Vouchers.class);
        String one = account(application);
        vouchers.spend(one, false);
        Await.until("it is spent", MAX, () -> money(application, one).equals("99+0"));
        String two = account(application);
        String name = unique("voucher");
        assertThat(global(application, name, () -> {
                    vouchers.spend(two, false);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(name, "ROLLED_BACK");
        assertThat(money(application, two)).isEqualTo("100+0");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whatBrokeOffIsCompensatedThoughItsResultIsAPrimitive(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Orders orders = application.getBean(Orders.class);
        String id = unique("order");
        for (boolean fails : new boolean[] {true, false}) {
            String name = unique("primitive");
            Throwable end = global(application, name, () -> {
                catchThrowable(() -> orders.remote(id + "r" + fails, fails));
                catchThrowable(() -> orders.bare(id + "b" + fails, fails));
                throw new IllegalStateException("no");
            });
            assertThat(end).hasMessage("no");
            awaitEnd(name, "ROLLED_BACK");
        }
        assertThat(orders.calls())
                .containsSubsequence(id + "btrue null", id + "rtrue null", id + "bfalse 42", id + "rfalse 42");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void outsideAGlobalTransactionNothingRuns(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        String one = account(application);
        TxnException refused = catchThrowableOfType(
                TxnException.class, () -> application.getBean(Accounts.class).freeze(one, "", TEN, null));
        assertThat(refused.code()).isEqualTo(ErrorCode.ACTION_OUTSIDE_TRANSACTION);
        assertThat(money(application, one)).isEqualTo("100+0");
    }

    // Sagas

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void compensationsRunInReverseWithArgumentsAndResult(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Trips trips = application.getBean(Trips.class);
        LocalDate day = LocalDate.of(2026, 3, 1);
        String stays = unique("guest");
        String kept = unique("kept");
        assertThat(global(application, kept, () -> {
                    trips.hotel(stays, day);
                    trips.car(stays);
                }))
                .isNull();
        awaitEnd(kept, "COMMITTED");
        assertThat(bookings(application, stays)).isEqualTo(2);
        String guest = unique("guest");
        String name = unique("undone");
        int before = trips.calls().size();
        assertThat(global(application, name, () -> {
                    assertThat(trips.hotel(guest, day)).isEqualTo(new Booking("hotel-" + guest, day));
                    trips.car(guest);
                    throw new IllegalStateException("no flight");
                }))
                .hasMessage("no flight");
        awaitEnd(name, "ROLLED_BACK");
        assertThat(trips.calls().subList(before, trips.calls().size()))
                .containsExactly("cancelCar " + guest, "cancelHotel hotel-" + guest + " true");
        assertThat(bookings(application, guest)).isZero();
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void whatReachesFurtherIsUndoneAlsoWhenItFailedHalfWayAndThatWasCaught(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        Mails mails = application.getBean(Mails.class);
        String one = unique("to");
        String name = unique("half");
        Throwable refused = global(application, name, () -> assertThatThrownBy(() -> mails.send(one, true))
                .hasMessage("half sent"));
        assertThat(refused).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        awaitEnd(name, "ROLLED_BACK");
        String two = unique("to");
        String whole = unique("whole");
        assertThat(global(application, whole, () -> {
                    mails.send(two, false);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(whole, "ROLLED_BACK");
        assertThat(mails.sent())
                .containsSubsequence("hello " + one, "sorry " + one + " null")
                .containsSubsequence("hello " + two, "sorry " + two + " id-" + two);
        String three = unique("to");
        String bare = unique("bare");
        assertThat(global(application, bare, () -> mails.bare(three))).isNull();
        awaitEnd(bare, "COMMITTED");
        assertThat(mails.sent()).containsSubsequence("bare " + three, "done " + three);
    }

    /** Its statements go through Spring's own connection, and its row is no work of AT: what a rollback undoes is only what came beside. */
    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void handWrittenCodeIsFencedInALocalTransactionOfSprings(DatabaseKind kind) throws Throwable {
        ConfigurableApplicationContext application = application(kind);
        FenceTemplate fence = application.getBean(FenceTemplate.class);
        JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
        Shop shop = application.getBean(Shop.class);
        String one = account(application);
        FenceKey key = new FenceKey(
                Xid.of("127.0.0.1:8091", NAMES.incrementAndGet()), new BranchId(NAMES.incrementAndGet()), "hand");
        Fence.Work<Integer> take = passage -> {
            passage.keep("taken");
            return jdbc.update("UPDATE account SET balance = balance - 10 WHERE name = ?", one);
        };
        assertThat(catchThrowable(() -> fence.pass(key, FencePhase.FIRST, passage -> {
                    take.run(passage);
                    throw new IllegalStateException("half of it");
                })))
                .hasMessage("half of it");
        assertThat(money(application, one)).as("work and row were taken back").isEqualTo("100+0");
        assertThat(global(application, unique("hand"), () -> {
                    shop.captured(one);
                    assertThat(fence.pass(key, FencePhase.FIRST, take).verdict())
                            .isEqualTo(FenceVerdict.RUN);
                    Fence.Passed<Integer> again = fence.pass(key, FencePhase.FIRST, take);
                    assertThat(again.verdict()).isEqualTo(FenceVerdict.REPEATED);
                    assertThat(again.kept()).isEqualTo("taken");
                    assertThat(money(application, one)).isEqualTo("1090+0");
                }))
                .isNull();
        assertThat(global(application, unique("hand"), () -> {
                    application.getBean(TransactionTemplate.class).executeWithoutResult(local -> {
                        shop.captured(one);
                        local.setRollbackOnly();
                        assertThat(catchThrowable(() -> fence.pass(key, FencePhase.CANCEL, passage -> "")))
                                .isNull();
                    });
                    assertThat(fence(application, key.xid().value()))
                            .as("it was part of the local transaction around it")
                            .containsExactly("2");
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        Fence.Work<Integer> giveBack = passage -> {
            assertThat(passage.data()).isEqualTo("taken");
            return jdbc.update("UPDATE account SET balance = balance + 10 WHERE name = ?", one);
        };
        assertThat(fence.pass(key, FencePhase.CANCEL, giveBack).verdict()).isEqualTo(FenceVerdict.RUN);
        assertThat(fence.pass(key, FencePhase.CANCEL, giveBack).verdict()).isEqualTo(FenceVerdict.REPEATED);
        assertThat(fence.pass(key, FencePhase.FIRST, take).verdict()).isEqualTo(FenceVerdict.TOO_LATE);
        assertThat(money(application, one)).isEqualTo("1100+0");
        String undone = unique("hand");
        FenceKey other = new FenceKey(key.xid(), new BranchId(NAMES.incrementAndGet()), "hand");
        String two = account(application);
        assertThat(global(application, undone, () -> {
                    shop.captured(two);
                    fence.pass(other, FencePhase.FIRST, take);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        awaitEnd(undone, "ROLLED_BACK");
        assertThat(money(application, two)).isEqualTo("100+0");
        assertThat(fence(application, key.xid().value()))
                .as("AT undid what it had captured, and not the row")
                .hasSize(2);
        assertThat(fence.in("dataSource")
                        .pass(other, FencePhase.CANCEL, giveBack)
                        .verdict())
                .isEqualTo(FenceVerdict.RUN);
        assertThat(catchThrowable(() -> fence.in("nowhere").pass(other, FencePhase.CANCEL, giveBack)))
                .hasMessageContaining("there is no data source nowhere");
    }

    @ParameterizedTest
    @EnumSource(DatabaseKind.class)
    void nothingIsLeftInTheFenceButWhatAgeTakes(DatabaseKind kind) {
        ConfigurableApplicationContext application = application(kind);
        String one = account(application);
        String name = unique("fenced");
        assertThat(global(application, name, () -> {
                    TransactionContext context =
                            application.getBean(ContextCarrier.class).current();
                    application.getBean(Accounts.class).freeze(one, "", TEN, null);
                    assertThat(fence(application, context.xidWithin().value())).containsExactly("2");
                }))
                .isNull();
        awaitEnd(name, "COMMITTED");
        assertThat(fence(application, coordinator.transaction(name).xid().value()))
                .containsExactly("3");
        assertThat(application.getBean(FenceJanitor.class).fences())
                .as("one database, one fence")
                .hasSize(1);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        application.getBean(FenceMetrics.class).bindTo(meters);
        assertThat(meters.get("txn.fence.deleted").functionCounter().count()).isZero();
        application
                .getBean(JdbcTemplate.class)
                .update(
                        "UPDATE txn_fence SET modified = 0 WHERE xid = ?",
                        coordinator.transaction(name).xid().value());
        application.getBean(FenceJanitor.class).fences().forEach(Fence::cleanUp);
        assertThat(meters.get("txn.fence.deleted").functionCounter().count()).isEqualTo(1);
        assertThat(meters.get("txn.fence.unfinished").gauge().value()).isZero();
    }

    private static List<String> fence(ConfigurableApplicationContext application, String xid) {
        return application
                .getBean(JdbcTemplate.class)
                .queryForList("SELECT state FROM txn_fence WHERE xid = ? ORDER BY branch_id", String.class, xid);
    }
}
