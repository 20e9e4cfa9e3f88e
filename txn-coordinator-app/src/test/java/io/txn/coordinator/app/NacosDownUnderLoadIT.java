package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.NacosLocator;
import io.txn.client.discovery.NacosSettings;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import io.txn.test.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Nacos and the executable jar, each in a process of its own, and our client under load, which finds the one by the other. The registry is away when the coordinator starts, comes,
 * is killed and started again; then the coordinator is killed and comes back under another address, with a transaction under way.
 */
class NacosDownUnderLoadIT {

    private static final Duration MAX = Duration.ofSeconds(120);
    private static final int THREADS = 3;
    /** Longer than a slow machine takes to start a coordinator again. */
    private static final GlobalTransactionOptions PURCHASE =
            GlobalTransactionOptions.named("purchase").withTimeout(Duration.ofMinutes(10));

    @TempDir
    Path directory;

    private final AtomicInteger committed = new AtomicInteger();
    private final AtomicInteger told = new AtomicInteger();
    private final Queue<String> failed = new ConcurrentLinkedQueue<>();
    private final Queue<TxnClient> clients = new ConcurrentLinkedQueue<>();
    private volatile TxnClient client;

    private final class Resource implements BranchResource {

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
            told.incrementAndGet();
            return BranchResult.committed();
        }

        @Override
        public BranchResult rollback(Branch branch) {
            return BranchResult.rolledBack();
        }
    }

    private interface Between {
        void run() throws Exception;
    }

    /** Opens a transaction, locks a row of its own, lets something happen, and commits; the XID. */
    private Xid purchase(Between between) throws Exception {
        TxnClient now = client; // another one may carry the load from the next one on
        try {
            return now.transactions().execute(PURCHASE, () -> {
                Xid xid = now.contexts().current().xid();
                now.resources()
                        .phaseOneEnded(now.resources()
                                .registerBranch(new BranchRegistration(
                                        xid, BranchType.AT, "db", "t:" + xid.number(), null, null)));
                between.run();
                return xid;
            });
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private void awaitMore(int more) {
        int then = committed.get();
        Await.until(more + " more were committed", MAX, () -> committed.get() >= then + more || !failed.isEmpty());
    }

    @Test
    void noGlobalTransactionFailsWhileNacosComesAndGoesAndWorkGoesOnWhenTheCoordinatorHasMoved() throws Exception {
        Path home = Files.createDirectory(directory.resolve("coordinator"));
        try (NacosServer nacos = NacosServer.away(directory.resolve("nacos"));
                CoordinatorProcess first = coordinator(home, nacos).awaitReady()) {
            registryComesAndGoesUnderLoad(nacos, first);

            HostPort old = new HostPort("127.0.0.1", first.tcpPort());
            int before = told.get();
            CountDownLatch ended = new CountDownLatch(1);
            CoordinatorProcess[] second = new CoordinatorProcess[1];
            try {
                Xid underWay = purchase(() -> {
                    first.process().kill9();
                    second[0] = coordinator(home, nacos).awaitReady();
                });
                assertThat(underWay.value()).startsWith(old + ":");
                Await.until("its branch was told to commit", MAX, () -> told.get() == before + 1);
                assertThat(purchase(ended::countDown).value()).startsWith("127.0.0.1:" + second[0].tcpPort() + ":");
                assertThat(ended.getCount()).isZero();
            } finally {
                if (second[0] != null) {
                    second[0].close();
                }
            }
        } finally {
            clients.forEach(TxnClient::close);
        }
    }

    private static CoordinatorProcess coordinator(Path home, NacosServer nacos) {
        return CoordinatorProcess.start(
                home,
                Ports.free(),
                Ports.free(),
                "--txn.coordinator.nacos.server-addr=" + nacos.serverAddr(),
                "--txn.coordinator.nacos.service=tc",
                "--txn.coordinator.nacos.group=G");
    }

    /** A client that carries the load from now on. */
    private void follow(CoordinatorLocator locator) {
        TxnClient started = TxnClient.start(
                TxnClientOptions.of("shop")
                        .withStartWait(MAX)
                        .withConnectWait(MAX)
                        .withDecisionWait(MAX),
                locator);
        clients.add(started);
        started.resources().register(new Resource());
        client = started;
    }

    /** First it is not there yet, and the load knows the coordinator by its address; then it is killed and started again, and the load knows the coordinator by it. */
    private void registryComesAndGoesUnderLoad(NacosServer nacos, CoordinatorProcess coordinator) throws Exception {
        follow(AddressListLocator.of(List.of("127.0.0.1:" + coordinator.tcpPort())));
        AtomicBoolean over = new AtomicBoolean();
        CountDownLatch done = new CountDownLatch(THREADS);
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                try {
                    while (!over.get()) {
                        purchase(() -> {});
                        committed.incrementAndGet();
                    }
                } catch (Exception | Error e) {
                    failed.add(e.toString());
                } finally {
                    done.countDown();
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        try {
            coordinator.process().awaitLine("registry cannot be reached", MAX);
            NacosLocator locator = NacosLocator.start(
                    NacosSettings.of(nacos.serverAddr()).withService("tc").withGroup("G"));
            awaitMore(100);
            nacos.restart();
            coordinator.process().awaitLine("Registered\\. service=tc@G", MAX);
            follow(locator);
            awaitMore(100);

            nacos.kill9();
            coordinator.process().awaitLine("registry is away", MAX);
            awaitMore(500);
            nacos.restart();
            coordinator.process().awaitLine("registry is back", MAX);
            awaitMore(100);
        } finally {
            over.set(true);
        }
        assertThat(done.await(MAX.toSeconds(), TimeUnit.SECONDS)).isTrue();
        System.out.println("NacosDownUnderLoadIT: " + committed + " committed, " + failed.size()
                + " failed while the registry came, was killed and started again");
        assertThat(failed).isEmpty();
        Await.until("every branch was told to commit", MAX, () -> told.get() == committed.get());
        assertThat(lines(coordinator, "registry cannot be reached"))
                .as("one line, however often it was tried")
                .hasSize(1);
        assertThat(lines(coordinator, "nacos"))
                .as("the client library is quiet")
                .hasSizeLessThan(10);
    }

    private static List<String> lines(CoordinatorProcess coordinator, String part) {
        return coordinator
                .process()
                .output()
                .lines()
                .filter(line -> line.contains(part))
                .toList();
    }
}
