package io.txn.spring.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.client.rpc.Backoff;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.spring.autoconfigure.LogLines;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import io.txn.test.Relay;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of connections when coordinators come, go, hang and move: real coordinators, and relays as further doors to them. */
class LinksIT {

    private static final Duration MAX = Duration.ofSeconds(60);
    private static final GlobalTransactionOptions PURCHASE = GlobalTransactionOptions.named("purchase");

    @TempDir
    Path directory;

    private final Listed listed = new Listed();
    private final Recording resource = new Recording();
    private TxnClient client;

    @AfterEach
    void stop() {
        if (client != null) {
            client.close();
        }
    }

    /** A registry that says what the test wants. */
    private static final class Listed implements CoordinatorLocator {

        private final List<Consumer<List<HostPort>>> listeners = new CopyOnWriteArrayList<>();
        private volatile List<HostPort> now = List.of();

        void say(String... addresses) {
            now = java.util.Arrays.stream(addresses).map(HostPort::parse).toList();
            listeners.forEach(listener -> listener.accept(now));
        }

        @Override
        public List<HostPort> current() {
            return now;
        }

        @Override
        public void onChange(Consumer<List<HostPort>> listener) {
            listeners.add(listener);
        }

        @Override
        public String description() {
            return "what the test lists";
        }

        @Override
        public void close() {}
    }

    private static final class Recording implements BranchResource {

        /** The branches told to commit, by transaction; one whose answer was lost is told again. */
        private final Map<Xid, Set<BranchId>> committed = new ConcurrentHashMap<>();

        @Override
        public String resourceId() {
            return "db";
        }

        @Override
        public BranchType branchType() {
            return BranchType.AT;
        }

        @Override
        public BranchResult commit(Branch branch) {
            committed
                    .computeIfAbsent(branch.xid(), xid -> ConcurrentHashMap.newKeySet())
                    .add(branch.id());
            return BranchResult.committed();
        }

        @Override
        public BranchResult rollback(Branch branch) {
            return BranchResult.rolledBack();
        }
    }

    private void start() {
        start(MAX);
    }

    private void start(Duration connectWait) {
        TxnClientOptions options = TxnClientOptions.of("shop")
                .withStartWait(MAX)
                .withConnectWait(connectWait)
                .withDecisionWait(connectWait)
                .withReconnect(new Backoff(Duration.ofMillis(20), Duration.ofMillis(200)));
        client = TxnClient.start(options, listed);
        client.resources().register(resource);
    }

    /** Opens, works and commits one; the XID. */
    private String purchase() {
        return transaction(xid -> {
            work(xid);
            return xid.value();
        });
    }

    private <T> T transaction(Function<Xid, T> business) {
        try {
            return client.transactions()
                    .execute(
                            PURCHASE,
                            () -> business.apply(client.contexts().current().xid()));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private void work(Xid xid) {
        client.resources()
                .phaseOneEnded(client.resources()
                        .registerBranch(
                                new BranchRegistration(xid, BranchType.AT, "db", "t:" + xid.number(), null, null)));
    }

    private static String address(Relay relay) {
        return "127.0.0.1:" + relay.port();
    }

    @Test
    void beginsAreSpreadOverTheDoorsOfOneLockDomainAndBranchCallsComeBack() throws Exception {
        AtomicLong first = new AtomicLong();
        AtomicLong second = new AtomicLong();
        try (TestCoordinator coordinator = TestCoordinator.start(directory);
                Relay other = Relay.to(coordinator.port(), Relay.roundTrips(second));
                LogLines log = LogLines.of("io.txn.client")) {
            Relay one = Relay.to(coordinator.port(), Relay.roundTrips(first));
            listed.say(address(one), address(other));
            start();
            Await.until("four connections", MAX, () -> coordinator.statistics().sessions() == 4);
            long firstBefore = first.get();
            long secondBefore = second.get();
            int expected = 60;
            for (int i = 0; i < expected; i++) {
                purchase();
            }
            Await.until("every branch was told to commit", MAX, () -> resource.committed.size() == expected);
            // Each takes at least two requests, and each request is drawn: fewer than twenty through a door is as
            // likely as
            // nothing.
            assertThat(first.get() - firstBefore).isGreaterThan(20);
            assertThat(second.get() - secondBefore).isGreaterThan(20);
            assertThat(log.from(Level.WARN))
                    .as("two doors of one domain are no reason to worry")
                    .isEmpty();

            // One door closes: everything goes through the other one.
            one.close();
            purchase();
            Await.until("told again", MAX, () -> resource.committed.size() == expected + 1);
        }
    }

    @Test
    void aRegistrationWhoseAnswerWasLostWithADoorIsAskedForAgainAtAnotherOne() throws Exception {
        AtomicBoolean armed = new AtomicBoolean();
        AtomicReference<Relay> closing = new AtomicReference<>();
        int purchases = 0;
        int lost = 0;
        try (TestCoordinator coordinator = TestCoordinator.start(directory);
                Relay one = Relay.to(coordinator.port(), () -> new Relay.Ear() {
                    @Override
                    public void sent(byte[] bytes, int length) {}

                    @Override
                    public void answered() {
                        if (armed.compareAndSet(true, false)) {
                            closing.get().cut();
                        }
                    }
                });
                Relay other = Relay.to(coordinator.port(), Relay.roundTrips(new AtomicLong()))) {
            closing.set(one);
            listed.say(address(one), address(other));
            start(Duration.ofSeconds(3));
            for (; purchases < 40 && lost < 3; purchases++) {
                Await.until(
                        "four connections", MAX, () -> coordinator.statistics().sessions() == 4);
                boolean through = transaction(xid -> {
                    armed.set(true);
                    work(xid);
                    return !armed.getAndSet(false);
                });
                if (through) {
                    lost++;
                    one.mend();
                }
            }
            assertThat(lost).as("answers lost").isEqualTo(3);
            int all = purchases;
            Await.until("every branch was told to commit", MAX, () -> resource.committed.size() == all);
            assertThat(resource.committed.values())
                    .allSatisfy(branches ->
                            assertThat(branches).as("registered once").hasSize(1));
        }
    }

    @Test
    void aCoordinatorThatHangsIsLetGoWithinTenSecondsAndAnotherOneIsUsed() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        ConcurrentHashMap.KeySetView<Boolean, Boolean> hanging = ConcurrentHashMap.newKeySet();
        try (TestCoordinator first = TestCoordinator.start(directory.resolve("first"));
                TestCoordinator second = TestCoordinator.start(directory.resolve("second"));
                Relay door = Relay.to(first.port(), () -> new Relay.Ear() {
                    private void pass() {
                        if (!hanging.isEmpty()) {
                            try {
                                never.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        }
                    }

                    @Override
                    public void sent(byte[] bytes, int length) {
                        pass();
                    }

                    @Override
                    public void answered() {
                        pass();
                    }
                })) {
            listed.say(address(door), second.address());
            start(Duration.ofSeconds(1));
            Await.until(
                    "both are connected",
                    MAX,
                    () -> first.statistics().sessions() == 2
                            && second.statistics().sessions() == 2);
            assertThat(purchase()).startsWith(first.address());

            // From here on it takes connections and every byte, and says nothing.
            hanging.add(true);
            long from = System.nanoTime();
            // What was begun there fails meanwhile.
            Await.untilPasses(
                    "begins go elsewhere", MAX, () -> assertThat(purchase()).startsWith(second.address()));
            System.out.println(
                    "LinksIT: away from a hanging coordinator after " + (System.nanoTime() - from) / 1_000_000 + " ms");
            never.countDown();
        }
    }

    @Test
    void aCoordinatorThatCameBackUnderAnotherAddressDecidesWhatWasBegunUnderTheOldOne() throws Exception {
        try (LogLines log = LogLines.of("io.txn.client")) {
            TestCoordinator old = TestCoordinator.start(directory);
            listed.say(old.address());
            start();
            AtomicInteger port = new AtomicInteger();
            String xid;
            try {
                xid = client.transactions().execute(PURCHASE, () -> {
                    var begun = client.contexts().current().xid();
                    work(begun);
                    old.close();
                    // It stays to the end of the test.
                    TestCoordinator moved = TestCoordinator.start(directory);
                    port.set(moved.port());
                    closing(moved);
                    listed.say(moved.address());
                    return begun.value();
                });
            } catch (Throwable e) {
                throw new AssertionError(e);
            } finally {
                old.close();
            }
            assertThat(xid).doesNotContain(":" + port.get() + ":");
            Await.until("the branch was told to commit", MAX, () -> resource.committed.size() == 1);
            assertThat(purchase()).startsWith("127.0.0.1:" + port.get() + ":");
            assertThat(log.from(Level.WARN))
                    .as("gone: a line for each of its two connections, and none for the tries after")
                    .hasSizeLessThanOrEqualTo(3);
        } finally {
            toClose.forEach(TestCoordinator::close);
        }
    }

    private final List<TestCoordinator> toClose = new CopyOnWriteArrayList<>();

    private void closing(TestCoordinator coordinator) {
        toClose.add(coordinator);
    }
}
