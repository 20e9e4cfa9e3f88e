package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import io.txn.client.LogLines;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import io.txn.test.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** Against a real registry in a process of its own. */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class NacosLocatorIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    static Path directory;

    /** The registry's client writes logs and snapshots into the user's home unless told otherwise. */
    @BeforeAll
    static void keepTheClientOutOfTheHome() {
        System.setProperty("JM.LOG.PATH", directory.resolve("client-logs").toString());
        System.setProperty("JM.SNAPSHOT.PATH", directory.resolve("client").toString());
        System.setProperty("nacos.logging.default.config.enabled", "false");
    }

    @AfterAll
    static void forget() {
        System.clearProperty("JM.LOG.PATH");
        System.clearProperty("JM.SNAPSHOT.PATH");
        System.clearProperty("nacos.logging.default.config.enabled");
    }

    @Test
    void followsWhatIsRegisteredAndKeepsWhatItKnowsWhileTheRegistryIsAway() throws Exception {
        try (NacosServer server = NacosServer.start(directory.resolve("home"))) {
            NacosSettings settings =
                    new NacosSettings(server.serverAddr(), null, "TXN", "txn-coordinator", "blue", null, null);
            BlockingQueue<List<HostPort>> changes = new LinkedBlockingQueue<>();
            try (Registered second = new Registered(server, "10.0.0.2", "blue");
                    Registered other = new Registered(server, "10.0.0.9", "green")) {
                assertThat(other).isNotNull();
                try (NacosLocator locator = NacosLocator.start(settings)) {
                    locator.onChange(changes::add);
                    Await.until("found", MAX, () -> locator.current().equals(List.of(second.address)));

                    Registered first = new Registered(server, "10.0.0.1", "blue");
                    awaitChange(changes, List.of(first.address, second.address));
                    second.leave();
                    awaitChange(changes, List.of(first.address));

                    first.leave();
                    NamingService watcher = NacosFactory.createNamingService(server.serverAddr());
                    Await.until("nobody is registered", MAX, () -> watcher.getAllInstances(
                                    "txn-coordinator", "TXN", List.of("blue"), false)
                            .isEmpty());
                    watcher.shutDown();
                    // What is pushed after the empty list shows that the empty list had its chance.
                    try (Registered third = new Registered(server, "10.0.0.3", "blue")) {
                        awaitChange(changes, List.of(third.address));
                        assertThat(changes).doesNotContain(List.of());

                        server.kill9();
                        assertThat(locator.current()).containsExactly(third.address);
                        server.restart();
                        try (Registered fourth = new Registered(server, "10.0.0.4", "blue")) {
                            Await.until("followed again", MAX, () -> locator.current()
                                    .contains(fourth.address));
                        }
                    }
                }
            }
        }
    }

    @Test
    void aRegistryThatIsAwayAtTheStartIsSaidOnceAndTriedAgain() {
        int nobody = Ports.freeWith(1000);
        try (LogLines log = LogLines.of("io.txn.client.discovery");
                NacosLocator locator = NacosLocator.start(NacosSettings.of("127.0.0.1:" + nobody))) {
            Await.until("said", MAX, () -> !log.from(Level.WARN).isEmpty());
            assertThat(log.from(Level.WARN))
                    .singleElement()
                    .asString()
                    .contains("cannot follow coordinators in Nacos 127.0.0.1:" + nobody)
                    .contains("keeps trying");
            assertThat(locator.current()).isEmpty();
            assertThatThrownBy(() -> TxnClient.start(TxnClientOptions.of("shop"), new Impatient(locator)))
                    .hasMessageContaining("TXN-NET001")
                    .hasMessageContaining("Nacos 127.0.0.1:" + nobody)
                    .hasMessageContaining("it cannot be followed");
        }
    }

    /** The same without the patience. */
    private record Impatient(CoordinatorLocator locator) implements CoordinatorLocator {

        @Override
        public List<HostPort> current() {
            return locator.current();
        }

        @Override
        public void onChange(Consumer<List<HostPort>> listener) {
            locator.onChange(listener);
        }

        @Override
        public String description() {
            return locator.description();
        }

        @Override
        public void close() {
            locator.close();
        }
    }

    @Test
    void thePasswordIsNotShown() {
        assertThat(new NacosSettings("h:1", "ns", "g", "s", "c", "user", "secret").toString())
                .doesNotContain("secret")
                .contains("user");
    }

    private static void awaitChange(BlockingQueue<List<HostPort>> changes, List<HostPort> expected)
            throws InterruptedException {
        List<HostPort> change;
        do {
            change = changes.poll(90, TimeUnit.SECONDS);
            assertThat(change).as("a push before %s", expected).isNotNull();
        } while (!change.equals(expected));
    }

    /** One registered coordinator: a client of the registry holds one instance of a service. */
    private static final class Registered implements AutoCloseable {

        private final NamingService naming;
        private final HostPort address;
        private boolean closed;

        Registered(NacosServer server, String ip, String cluster) throws NacosException {
            address = new HostPort(ip, 8091);
            naming = NacosFactory.createNamingService(server.serverAddr());
            Instance instance = new Instance();
            instance.setIp(ip);
            instance.setPort(8091);
            instance.setClusterName(cluster);
            Await.until("registered", MAX, () -> {
                naming.registerInstance("txn-coordinator", "TXN", instance);
                return true;
            });
        }

        @Override
        public void close() throws NacosException {
            leave();
        }

        void leave() throws NacosException {
            if (!closed) {
                closed = true;
                naming.shutDown();
            }
        }
    }
}
