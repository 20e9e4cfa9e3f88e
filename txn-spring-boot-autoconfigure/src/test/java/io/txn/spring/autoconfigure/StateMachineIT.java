package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.saga.SagaEnded;
import io.txn.client.saga.SagaOutcome;
import io.txn.client.saga.Started;
import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead.State;
import io.txn.spring.doctor.Examination;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.PayloadApplicationEvent;

/** State machines in Seata's state language, imported from files and run: with a coordinator in a process of its own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class StateMachineIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    private Path directory;
    private int port;
    private JavaProcess coordinator;

    @BeforeAll
    void start(@TempDir Path temporary) {
        directory = temporary;
        port = Ports.free();
        coordinator = startCoordinator(0);
    }

    private JavaProcess startCoordinator(int run) {
        JavaProcess process = JavaProcess.mainClass(CoordinatorMain.class)
                .args(directory.resolve("coordinator").toString(), Integer.toString(port))
                .start(directory.resolve("coordinator-" + run + ".log"));
        process.awaitLine("serving on", LONG);
        return process;
    }

    @AfterAll
    void stop() {
        coordinator.close();
    }

    public static class NoSeatException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoSeatException(String message) {
            super(message);
        }
    }

    /** A class as applications have them. */
    public static class Ticket {
        private final String seat;

        Ticket(String seat) {
            this.seat = seat;
        }

        public String getSeat() {
            return seat;
        }

        public BigDecimal getPrice() {
            return new BigDecimal("99.90");
        }
    }

    record Guest(String name, int beds) {}

    /** The services. What they do is noted by the key of the trip. */
    public static class Travel {
        private final Map<String, List<String>> done = new HashMap<>();
        private final CountDownLatch inFlight = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);
        private volatile boolean broken;

        synchronized List<String> done(String key) {
            return new ArrayList<>(done.getOrDefault(key, List.of()));
        }

        private synchronized int note(String key, String what) {
            List<String> all = done.computeIfAbsent(key, one -> new ArrayList<>());
            all.add(what);
            return (int) all.stream().filter(what::equals).count();
        }

        public boolean bookHotel(String key, int nights, Guest guest) {
            note(key, "hotel for " + guest);
            return nights > 0;
        }

        public void cancelHotel(String key, String why) {
            note(key, "no hotel " + why);
        }

        public Ticket bookFlight(String key) throws IOException, InterruptedException {
            int times = note(key, "flight");
            if (key.startsWith("full")) {
                throw new NoSeatException("no seat");
            } else if (key.startsWith("busy") && times < 3 || key.startsWith("train")) {
                throw new IOException("busy");
            } else if (key.startsWith("broken") && broken) {
                throw new IllegalStateException("broken");
            } else if (key.startsWith("kill") && times == 1) {
                inFlight.countDown();
                assertThat(go.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            }
            return new Ticket("12A");
        }

        public void cancelFlight(String key, String seat) {
            note(key, "no flight " + seat);
        }

        public String bookTrain(String key) {
            note(key, "train");
            return key.startsWith("long") ? "wagon ".repeat(1_500) : "wagon 3";
        }

        public String leave(String key, int characters) {
            note(key, "book");
            return "x".repeat(characters);
        }

        public String bookBus(String key) {
            note(key, "bus");
            return "bus";
        }

        public void write(String key, String seat) {
            note(key, "letter about " + seat);
        }

        public long pay(String key, BigDecimal amount) {
            note(key, "pay " + amount);
            if (amount.signum() < 0) {
                throw new IllegalArgumentException("no such amount");
            }
            return 4711;
        }

        public boolean refund(String key) {
            return note(key, "refund") > 1;
        }
    }

    private ApplicationContextRunner runner(Travel travel, String... resources) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(TxnAutoConfiguration.class, TxnModesAutoConfiguration.class))
                .withBean("travel", Travel.class, () -> travel)
                .withPropertyValues(
                        "txn.coordinator.address=127.0.0.1:" + port,
                        "spring.application.name=travel",
                        "txn.saga.state-machine.resources=" + String.join(",", resources));
    }

    private static Map<String, Object> trip(String key, int nights) {
        return Map.of("key", key, "nights", nights, "guest", Map.of("name", "Ann", "children", 2));
    }

    private static final String HOTEL = "hotel for Guest[name=Ann, beds=3]";

    private static SagaOutcome<Map<String, Object>> run(StateMachines machines, String name, Map<String, Object> with) {
        return machines.start(name, null, with).await(LONG);
    }

    @Test
    void anImportedMachineRunsChoosesCatchesRetriesAndTurnsBack() {
        Travel travel = new Travel();
        runner(travel, "classpath*:statelang/*.json").run(context -> {
            assertThat(context).hasNotFailed();
            StateMachines machines = context.getBean(StateMachines.class);

            SagaOutcome<Map<String, Object>> done = run(machines, "trip", trip("done", 2));
            assertThat(done.state()).as(done.failure()).isEqualTo(State.DONE);
            assertThat(done.result())
                    .containsEntry("booked", true)
                    .containsEntry("seat", "12A")
                    .containsEntry("price", new BigDecimal("99.90"))
                    .containsEntry("nights", 2);
            assertThat(travel.done("done")).containsExactly(HOTEL, "flight", "letter about 12A");

            SagaOutcome<Map<String, Object>> none = run(machines, "trip", trip("none", 0));
            assertThat(none.state()).isEqualTo(State.COMPENSATED);
            assertThat(none.failure()).contains("NO_TRIP there is no trip");
            assertThat(travel.done("none")).as("what did nothing is not undone").containsExactly(HOTEL);

            SagaOutcome<Map<String, Object>> full = run(machines, "trip", trip("full", 2));
            assertThat(full.state()).isEqualTo(State.COMPENSATED);
            assertThat(full.failure()).contains("NO_TRIP", "Flight failed", "no seat");
            assertThat(travel.done("full")).containsExactly(HOTEL, "flight", "no flight null", "no hotel null");

            assertThat(run(machines, "trip", trip("busy", 2)).state()).isEqualTo(State.DONE);
            assertThat(travel.done("busy")).containsExactly(HOTEL, "flight", "flight", "flight", "letter about 12A");

            assertThat(run(machines, "trip", trip("train", 2)).state()).isEqualTo(State.DONE);
            assertThat(travel.done("train"))
                    .containsExactly(HOTEL, "flight", "flight", "flight", "train", "letter about wagon 3");
        });
    }

    /** Called again without end; where it leads nowhere, a person is asked. */
    @Test
    void aMachineThatGoesForwardDoesAndTellsItsEnd() {
        Travel travel = new Travel();
        List<SagaEnded<?>> ended = new CopyOnWriteArrayList<>();
        runner(travel, "classpath*:statelang/*.json")
                .withPropertyValues("txn.saga.state-machine.announced=true")
                .withInitializer(context -> context.addApplicationListener(event -> {
                    if (event instanceof PayloadApplicationEvent<?> published
                            && published.getPayload() instanceof SagaEnded<?> one) {
                        ended.add(one);
                    }
                }))
                .withBean("steadfast", StateMachine.class, () -> StateMachine.read("""
                                {"Name": "steadfast", "RecoverStrategy": "Forward", "StartState": "Flight", "States": {
                                  "Flight": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "bookFlight",
                                    "Input": ["$.[key]"], "Output": {"seat": "$.#root.seat"}, "Next": "Which",
                                    "Retry": [{"Exceptions": ["java.io.FileNotFoundException"], "MaxAttempts": 1, "IntervalSeconds": 0.05}]},
                                  "Which": {"Type": "Choice", "Choices": [{"Expression": "[stay] == true", "Next": "Lost"}], "Default": "Done"},
                                  "Lost": {"Type": "Fail", "ErrorCode": "LOST", "Message": "ask a person"},
                                  "Done": {"Type": "Succeed"}}}""", "steadfast.json"))
                .run(context -> {
                    StateMachines machines = context.getBean(StateMachines.class);
                    Started<Map<String, Object>> started = machines.start("steadfast", Map.of("key", "busy-forward"));
                    assertThat(started.await(LONG).result()).containsEntry("seat", "12A");
                    assertThat(travel.done("busy-forward")).containsExactly("flight", "flight", "flight");
                    assertThat(ended).anySatisfy(one -> assertThat(one)
                            .isEqualTo(new SagaEnded<>(
                                    started.xid(), "steadfast@0.0.1", Map.of("key", "busy-forward"), true)));
                    Started<Map<String, Object>> undone = machines.start("trip", trip("full-told", 1));
                    assertThat(undone.await(LONG).state()).isEqualTo(State.COMPENSATED);
                    assertThat(ended).anySatisfy(one -> {
                        assertThat(one.xid()).isEqualTo(undone.xid());
                        assertThat(one.done()).isFalse();
                    });
                    Started<Map<String, Object>> lost =
                            machines.start("steadfast", Map.of("key", "lost", "stay", true));
                    Await.until("a person is asked", LONG, () -> lost.now().state() == State.NEEDS_ATTENTION);
                    assertThat(lost.now().failure()).contains("LOST ask a person");
                });
    }

    @Test
    void aMachineInAMachineIsDoneAndUndoneWithIt() {
        Travel travel = new Travel();
        runner(travel, "classpath*:statelang/*.json").run(context -> {
            StateMachines machines = context.getBean(StateMachines.class);
            Map<String, Object> with = new HashMap<>(trip("holiday", 0));
            with.put("amount", new BigDecimal("450.00"));
            Started<Map<String, Object>> started = machines.startWithBusinessKey("holiday", "000001", "H-1", with);
            SagaOutcome<Map<String, Object>> done = started.await(LONG);
            assertThat(done.state()).as(done.failure()).isEqualTo(State.DONE);
            assertThat(done.result())
                    .containsEntry("place", "12A")
                    .containsEntry("receipt", 4711)
                    .containsEntry("_business_key_", "H-1")
                    .doesNotContainKey("seat");
            assertThat(machines.startWithBusinessKey("holiday", null, "H-1", with)
                            .xid())
                    .as("the same start again")
                    .isEqualTo(started.xid());
            assertThat(travel.done("holiday"))
                    .containsExactlyInAnyOrder(HOTEL, "flight", "letter about 12A", "pay 450.00");

            with.putAll(Map.of("key", "poor", "amount", -1, "reason", "too dear"));
            SagaOutcome<Map<String, Object>> undone = run(machines, "holiday", with);
            assertThat(undone.state()).isEqualTo(State.COMPENSATED);
            assertThat(undone.failure()).contains("Back, because Pay failed", "no such amount");
            assertThat(travel.done("poor").stream().filter(one -> !one.startsWith("letter")))
                    .as("a refund says at first that it did not work")
                    .containsExactly(
                            HOTEL, "flight", "pay -1", "refund", "refund", "no flight 12A", "no hotel too dear");
        });
    }

    /** What is done in a machine that is done is given back too. */
    @Test
    void theTimeOfAMachineTurnsItAlsoAfterAMachineInIt() {
        StateMachine purse = StateMachine.read("""
                {"Name": "purse", "StartState": "Pay", "States": {
                  "Pay": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "pay", "CompensateState": "Refund",
                          "Input": ["$.[key]", 5]},
                  "Refund": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "refund", "Input": ["$.[key]"]}}}""", "purse.json");
        StateMachine order = StateMachine.read("""
                {"Name": "order", "StartState": "Buy", "States": {
                  "Buy": {"Type": "SubStateMachine", "StateMachineName": "purse", "Input": [{"key": "$.[key]"}], "Next": "Ship"},
                  "Ship": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "bookFlight", "CompensateState": "Unship",
                           "Input": ["$.[key]"]},
                  "Unship": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "cancelFlight",
                             "Input": ["$.[key]", "none"]}}}""", "order.json");
        Travel travel = new Travel();
        travel.broken = true;
        // Where two seconds were not enough for what comes before the flight, there are more.
        for (int seconds : new int[] {2, 20}) {
            String key = "broken-" + seconds;
            runner(travel, "classpath:statelang/trip.json")
                    .withPropertyValues("txn.saga.state-machine.trans-operation-timeout=" + seconds + "s")
                    .withBean("purse", StateMachine.class, () -> purse)
                    .withBean("order", StateMachine.class, () -> order)
                    .run(context -> {
                        SagaOutcome<Map<String, Object>> turned =
                                run(context.getBean(StateMachines.class), "order", Map.of("key", key));
                        assertThat(turned.state()).isEqualTo(State.COMPENSATED);
                        assertThat(turned.failure()).contains("not done within its timeout");
                    });
            if (travel.done(key).contains("flight")) {
                assertThat(travel.done(key).stream().distinct())
                        .containsExactly("pay 5", "flight", "no flight none", "refund");
                return;
            }
        }
        throw new AssertionError("the flight was never tried");
    }

    @Test
    void aMachineThatEndsWithTooMuchIsDoneAndSaysSoAndTheOneAroundItTurns() {
        StateMachine train = StateMachine.read("""
                {"Name": "train", "StartState": "There", "States": {
                  "There": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "bookTrain", "CompensateState": "Refund",
                            "Input": ["$.[key]"], "Output": {"there": "$.#root"}, "Next": "Back"},
                  "Back": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "bookTrain",
                           "Input": ["$.[key]"], "Output": {"back": "$.#root"}},
                  "Refund": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "refund", "Input": ["$.[key]"]}}}""", "train.json");
        StateMachine tour = StateMachine.read("""
                {"Name": "tour", "StartState": "Train", "States": {
                  "Train": {"Type": "SubStateMachine", "StateMachineName": "train", "Input": [{"key": "$.[key]"}],
                            "Output": {"wagon": "$.[there]"}, "Next": "Letter"},
                  "Letter": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "write", "Input": ["$.[key]", "$.[wagon]"]}}}""", "tour.json");
        Travel travel = new Travel();
        runner(travel, "classpath:statelang/trip.json")
                .withBean("train", StateMachine.class, () -> train)
                .withBean("tour", StateMachine.class, () -> tour)
                .run(context -> {
                    StateMachines machines = context.getBean(StateMachines.class);
                    TxnException large = org.assertj.core.api.Assertions.catchThrowableOfType(
                            TxnException.class, () -> run(machines, "train", Map.of("key", "long-train")));
                    assertThat(large.code()).isEqualTo(ErrorCode.SAGA_TOO_LARGE);
                    assertThat(large).hasMessageContaining("train@0.0.1 ends with");
                    assertThat(travel.done("long-train")).containsExactly("train", "train");

                    SagaOutcome<Map<String, Object>> turned = run(machines, "tour", Map.of("key", "long-tour"));
                    assertThat(turned.state()).isEqualTo(State.COMPENSATED);
                    assertThat(turned.failure()).contains("TXN-SGA001", "train@0.0.1 ends with");
                    assertThat(travel.done("long-tour")).containsExactly("train", "train", "refund");

                    assertThat(run(machines, "tour", Map.of("key", "tour")).state())
                            .isEqualTo(State.DONE);
                    assertThat(travel.done("tour")).containsExactly("train", "train", "letter about wagon 3");
                });
    }

    /** 256 KiB are kept of what states leave. The state that leaves more fails; what the machine ends with does not count. */
    @Test
    void aMachineWhoseStatesLeaveAsMuchAsIsKeptEndsWellAndOneWithMoreTurns() {
        Travel travel = new Travel();
        runner(travel, "classpath:statelang/trip.json")
                .withBean("shelf", StateMachine.class, () -> shelf("shelf", 16))
                .withBean("library", StateMachine.class, () -> shelf("library", 17))
                .run(context -> {
                    StateMachines machines = context.getBean(StateMachines.class);
                    SagaOutcome<Map<String, Object>> full = run(machines, "shelf", Map.of("key", "shelf"));
                    assertThat(full.state()).as(full.failure()).isEqualTo(State.DONE);
                    assertThat(full.result()).containsEntry("book", "x".repeat(BOOK));
                    assertThat(travel.done("shelf")).hasSize(16).containsOnly("book");

                    SagaOutcome<Map<String, Object>> more = run(machines, "library", Map.of("key", "library"));
                    assertThat(more.state()).isEqualTo(State.COMPENSATED);
                    assertThat(more.failure()).contains("Book16", "more than is kept of one saga: 262144 bytes");
                    assertThat(travel.done("library")).hasSize(17).containsOnly("book");
                });
    }

    /** Sixteen of them are less than what is kept, and seventeen more. */
    private static final int BOOK = 15_500;

    private static StateMachine shelf(String name, int books) {
        StringBuilder states = new StringBuilder();
        for (int i = 0; i < books; i++) {
            states.append("""
                    %s"Book%d": {"Type": "ServiceTask", "ServiceName": "travel", "ServiceMethod": "leave",
                      "Input": ["$.[key]", %d], "Output": {"book": "$.#root"}%s}
                    """.formatted(
                            i == 0 ? "" : ",", i, BOOK, i + 1 == books ? "" : ", \"Next\": \"Book" + (i + 1) + "\""));
        }
        return StateMachine.read(
                "{\"Name\": \"" + name
                        + "\", \"StartState\": \"Book0\", \"RecoverStrategy\": \"Compensate\", \"States\": {" + states
                        + "}}",
                name + ".json");
    }

    @Test
    void aMachineGoesOnWhenItsCoordinatorWasKilled() {
        Travel travel = new Travel();
        runner(travel, "classpath*:statelang/*.json").run(context -> {
            StateMachines machines = context.getBean(StateMachines.class);
            Started<Map<String, Object>> started = machines.start("trip", trip("kill", 1));
            assertThat(travel.inFlight.await(LONG.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            coordinator.kill9();
            assertThat(coordinator.waitFor(LONG)).isTrue();
            coordinator = startCoordinator(1);
            travel.go.countDown();
            assertThat(ended(machines, started.xid())).containsEntry("seat", "12A");
            assertThat(travel.done("kill"))
                    .startsWith(HOTEL, "flight")
                    .endsWith("letter about 12A")
                    .containsOnlyOnce(HOTEL);
        });
    }

    /** Killed in a service and in a compensation: what was committed is not done again, and what was not is. */
    @Test
    void anotherInstanceGoesOnWithWhatAKilledApplicationWasCalledFor() {
        TestDatabase database = TestDatabases.of(DatabaseKind.MARIADB);
        Purses.open(database);
        Map<String, Xid> sagas = new HashMap<>();
        try (JavaProcess doomed = JavaProcess.mainClass(Purses.class)
                .args(Integer.toString(port), database.jdbcUrl(), database.user(), database.password())
                .start(directory.resolve("doomed.log"))) {
            for (String key : List.of("forward", "back", "undone")) {
                sagas.put(
                        key,
                        new Xid(doomed.awaitLine(key + " is ([0-9.]+:\\d+:\\d+)", LONG)
                                .group(1)));
            }
            doomed.awaitLine("forward is in give", LONG);
            doomed.awaitLine("back is in putBack", LONG);
            doomed.awaitLine("undone is in give", LONG);
            assertThat(purses(database))
                    .as("b and e have been given, c is not put back")
                    .isEqualTo("90 110 90 90 110");
            doomed.kill9();
            assertThat(doomed.waitFor(LONG)).isTrue();
        }
        Purses.runner(port, database.dataSource(), false).run(context -> {
            StateMachines machines = context.getBean(StateMachines.class);
            assertThat(machines.find(sagas.get("forward")).await(LONG).state()).isEqualTo(State.DONE);
            SagaOutcome<Map<String, Object>> back =
                    machines.find(sagas.get("back")).await(LONG);
            assertThat(back.state()).isEqualTo(State.COMPENSATED);
            assertThat(back.failure()).contains("NOBODY");
            assertThat(machines.find(sagas.get("undone")).await(LONG).state())
                    .as("by its strategy a call without an answer turns it")
                    .isEqualTo(State.COMPENSATED);
        });
        assertThat(purses(database)).isEqualTo("90 110 100 100 100");
        assertThat(Leftovers.query(database, "SELECT GROUP_CONCAT(what ORDER BY what SEPARATOR ' ') FROM done"))
                .isEqualTo("forward/give forward/take");
    }

    private static String purses(TestDatabase database) {
        return Leftovers.query(database, "SELECT GROUP_CONCAT(amount ORDER BY owner SEPARATOR ' ') FROM purse");
    }

    /** Asked until the coordinator can be asked again. */
    private static Map<String, Object> ended(StateMachines machines, Xid xid) {
        List<Map<String, Object>> results = new ArrayList<>();
        Await.until("it has ended", LONG, () -> {
            try {
                SagaOutcome<Map<String, Object>> outcome = machines.find(xid).await(Duration.ofSeconds(1));
                if (outcome.isDone()) {
                    results.add(outcome.result());
                }
                return outcome.isDone();
            } catch (TxnException e) {
                return false; // it is being started
            }
        });
        return results.get(0);
    }

    @Test
    void aMachineFinishesOnTheVersionItBeganWithBesideANewOne() {
        Travel travel = new Travel();
        travel.broken = true;
        List<Xid> old = new ArrayList<>();
        runner(travel, "classpath:statelang/trip.json").run(context -> {
            old.add(context.getBean(StateMachines.class)
                    .start("trip", trip("broken", 1))
                    .xid());
            Await.until(
                    "its flight was tried", LONG, () -> travel.done("broken").contains("flight"));
        });
        travel.broken = false;
        runner(travel, "classpath:statelang/trip.json", "classpath:statelang-2/*.json")
                .run(context -> {
                    StateMachines machines = context.getBean(StateMachines.class);
                    assertThat(machines.all())
                            .extracting(StateMachine::id)
                            .containsExactlyInAnyOrder("trip@0.0.1", "trip@0.1.0");
                    assertThat(machines.find(old.get(0)).await(LONG).state()).isEqualTo(State.DONE);
                    assertThat(run(machines, "trip", trip("train", 1)).result()).containsEntry("seat", "bus");
                });
    }

    @Test
    void whatCannotBeRunFailsTheStartWithWhatWould() {
        refused(runner(new Travel(), "classpath:statelang/holiday.json"), "there is no state machine trip");
        refused(runner(new Travel(), "classpath*:nowhere/*.json"), "no file matches it");
        refused(
                runner(new Travel(), "classpath:statelang/trip.json")
                        .withBean("same", StateMachine.class, () -> StateMachine.read("""
                                        {"Name": "trip", "Version": "0.0.1", "StartState": "A", "States": {"A": {"Type": "Succeed"}}}""", "same.json")),
                "another definition of this name and version");
        runner(new Travel(), "classpath:statelang/trip.json").run(context -> {
            assertThat(context.getBeansOfType(Examination.class).values())
                    .filteredOn(one -> one.about().equals("sagas"))
                    .singleElement()
                    .satisfies(one -> assertThat(one.examine().toString()).contains("trip@0.0.1"));
            StateMachines machines = context.getBean(StateMachines.class);
            TxnException tenant = org.assertj.core.api.Assertions.catchThrowableOfType(
                    TxnException.class, () -> machines.start("trip", "acme", Map.of()));
            assertThat(tenant).hasMessageContaining("there are no tenants here");
            TxnException unknown = org.assertj.core.api.Assertions.catchThrowableOfType(
                    TxnException.class, () -> machines.start("tripp", Map.of()));
            assertThat(unknown).hasMessageContaining("one of [trip@0.0.1]");
        });
    }

    private static void refused(ApplicationContextRunner runner, String text) {
        runner.run(context -> {
            assertThat(context).hasFailed();
            assertThat(context.getStartupFailure())
                    .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                            .isEqualTo(ErrorCode.STATE_MACHINE_REFUSED))
                    .hasMessageContaining(text);
        });
    }
}
