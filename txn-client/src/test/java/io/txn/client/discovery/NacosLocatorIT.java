package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.client.naming.NacosNamingService;
import io.txn.client.LogLines;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import io.txn.test.Ports;
import io.txn.test.Relay;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/**
 * Against a real registry in a process of its own. The build runs it with a registry's client of version 3, and in the wide form with one of version 2.5
 * too.
 */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NacosLocatorIT {

    private static final Duration MAX = Duration.ofSeconds(90);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    @TempDir
    static Path directory;

    private static NacosServer server;

    /** The registry's client writes logs and snapshots into the user's home unless told otherwise. */
    @BeforeAll
    static void startTheRegistryAndKeepItsClientOutOfTheHome() {
        assumeTrue(
                System.getProperty("txn.test.nacos-client") == null || Boolean.getBoolean("txn.test.wide"),
                "in the wide form");
        System.setProperty("JM.LOG.PATH", directory.resolve("client-logs").toString());
        System.setProperty("JM.SNAPSHOT.PATH", directory.resolve("client").toString());
        System.setProperty("nacos.logging.default.config.enabled", "false");
        server = NacosServer.start(directory.resolve("home"));
    }

    @AfterAll
    static void stop() {
        if (server == null) {
            return;
        }
        server.close();
        System.clearProperty("JM.LOG.PATH");
        System.clearProperty("JM.SNAPSHOT.PATH");
        System.clearProperty("nacos.logging.default.config.enabled");
    }

    @Test
    @Order(1)
    void theClientIsTheOneThatTheBuildPutThere() {
        String expected = System.getProperty("txn.test.nacos-client", "3.");
        assertThat(NacosNamingService.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath())
                .contains("nacos-client-" + expected);
    }

    @Test
    @Order(1)
    void whereTheServiceIsInsteadIsSaid() throws Exception {
        NacosSettings there = NacosSettings.of(server.serverAddr()).withService("lost");
        try (Registered registered = new Registered(there.withGroup("TXN").withCluster("green"), "10.0.0.1")) {
            assertThat(registered).isNotNull();
            complains(there, LookupStep.Kind.SERVICE, "nobody is registered in group DEFAULT_GROUP, but in [TXN]");
            complains(
                    there.withGroup("TXN").withCluster("blue"),
                    LookupStep.Kind.INSTANCE,
                    "nobody is registered in Nacos cluster blue, but in [green]");
            complains(
                    there.withGroup("TXN").withNamespace("elsewhere"),
                    LookupStep.Kind.SERVICE,
                    "nobody is registered in namespace elsewhere, but in the public one, group TXN");
            complains(
                    there.withNamespace("public"),
                    LookupStep.Kind.SERVICE,
                    "nobody is registered in group DEFAULT_GROUP, but in [TXN]");
        }
        complains(there.withService("never"), LookupStep.Kind.SERVICE, "nobody is registered there");
        NacosSettings nobody = NacosSettings.of("127.0.0.1:" + Ports.freeWith(1000));
        complains(nobody, LookupStep.Kind.CONNECTION, "nothing listens there");
        complains(
                NacosSettings.of("no-such-registry.invalid:8848"),
                LookupStep.Kind.NAME,
                "the host name is not known here");
    }

    /** What is said of settings with which nobody is found. */
    private static void complains(NacosSettings settings, LookupStep.Kind step, String complaint) {
        try (NacosLocator locator = NacosLocator.start(settings, LOOK_EVERY)) {
            Await.untilPasses("what is wrong is said", MAX, () -> assertThat(locator.description())
                    .contains(complaint));
            assertThat(locator.current()).isEmpty();
            assertThat(locator.examine()).singleElement().satisfies(told -> {
                assertThat(told.passed()).isFalse();
                assertThat(told.kind()).isEqualTo(step);
                assertThat(told.seen()).contains(complaint);
            });
        }
    }

    /** 8848 is let through and 9848 is not: the library itself says after ten seconds that it is STARTING. */
    @Test
    @Order(1)
    void thatOnlyTheSecondPortIsClosedIsSaid() throws Exception {
        try (Relay door = Relay.to(server.port(), Relay.roundTrips(new AtomicLong()))) {
            assertThat(Ports.isFree(door.port() + 1000)).isTrue();
            try (LogLines log = LogLines.of("io.txn.client.discovery");
                    NacosLocator locator = NacosLocator.start(NacosSettings.of("127.0.0.1:" + door.port()))) {
                Await.until("said", MAX, () -> !log.from(Level.WARN).isEmpty());
                assertThat(locator.description())
                        .contains("127.0.0.1:" + door.port() + " answers, but 127.0.0.1:" + (door.port() + 1000))
                        .contains("second port");
            }
        }
    }

    @Test
    @Order(1)
    void aRegistryThatIsAwayAtTheStartIsSaidOnceAndTriedAgain() {
        int nobody = Ports.freeWith(1000);
        try (LogLines log = LogLines.of("io.txn.client.discovery");
                NacosLocator locator = NacosLocator.start(NacosSettings.of("127.0.0.1:" + nobody))) {
            Await.until("said", MAX, () -> !log.from(Level.WARN).isEmpty());
            assertThat(locator.current()).isEmpty();
            TxnClientOptions options = TxnClientOptions.of("shop").withStartWait(Duration.ofSeconds(2));
            assertThatThrownBy(() -> TxnClient.start(options, locator))
                    .hasMessageContaining("TXN-NET001")
                    .hasMessageContaining("Nacos 127.0.0.1:" + nobody)
                    .hasMessageContaining("nothing listens there");
            assertThat(log.from(Level.WARN))
                    .as("tried several times meanwhile")
                    .singleElement()
                    .asString()
                    .contains("cannot follow coordinators in Nacos 127.0.0.1:" + nobody)
                    .contains("keeps trying");
        }
    }

    @Test
    @Order(1)
    void aHostThatNobodyKnowsIsToldFromOneThatIsDown() {
        try (NacosLocator locator = NacosLocator.start(NacosSettings.of("no-such-host.invalid"))) {
            Await.until("said", MAX, () -> locator.description().contains("host name"));
            assertThat(locator.description()).contains("no-such-host.invalid:8848 cannot be found");
        }
    }

    /** Last, because it kills the registry. */
    @Test
    @Order(2)
    void followsWhatIsRegisteredAndKeepsWhatItKnowsWhileTheRegistryIsAway() throws Exception {
        NacosSettings settings = NacosSettings.of(server.serverAddr()).withGroup("TXN");
        BlockingQueue<List<HostPort>> changes = new LinkedBlockingQueue<>();
        try (Registered second = new Registered(settings.withCluster("blue"), "10.0.0.2");
                Registered other = new Registered(settings.withCluster("green"), "10.0.0.9");
                LogLines log = LogLines.of("io.txn.client.discovery")) {
            assertThat(other).isNotNull();
            try (NacosLocator locator = NacosLocator.start(settings.withCluster("blue"), LOOK_EVERY)) {
                locator.onChange(changes::add);
                Await.until("found", MAX, () -> locator.current().equals(List.of(second.address)));

                Registered first = new Registered(settings.withCluster("blue"), "10.0.0.1");
                awaitChange(changes, List.of(first.address, second.address));
                second.leave();
                awaitChange(changes, List.of(first.address));

                first.leave();
                Await.until("the empty list was seen", MAX, () -> log.from(Level.INFO).stream()
                        .anyMatch(line -> line.contains("no coordinator is listed")));
                assertThat(locator.current()).containsExactly(first.address);
                try (Registered third = new Registered(settings.withCluster("blue"), "10.0.0.3")) {
                    awaitChange(changes, List.of(third.address));
                    assertThat(changes).doesNotContain(List.of());

                    server.kill9();
                    Await.until("its absence was noticed", MAX, () -> !log.from(Level.WARN)
                            .isEmpty());
                    assertThat(locator.current()).containsExactly(third.address);
                    server.restart();
                    try (Registered fourth = new Registered(settings.withCluster("blue"), "10.0.0.4")) {
                        Await.until(
                                "followed again", MAX, () -> locator.current().contains(fourth.address));
                    }
                    assertThat(log.from(Level.WARN))
                            .as("one line, not one for each try")
                            .singleElement()
                            .asString()
                            .contains("goes on with [10.0.0.3:8091]");
                }
            }
        }
    }

    @Test
    @Order(1)
    void secretsAreNotShown() {
        assertThat(NacosSettings.of("h:1")
                        .withUser("user", "secret")
                        .withKeys("key", "secret")
                        .toString())
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

        Registered(NacosSettings where, String ip) throws NacosException {
            address = new HostPort(ip, 8091);
            Properties properties = new Properties();
            properties.setProperty(PropertyKeyConst.SERVER_ADDR, where.serverAddr());
            naming = NacosFactory.createNamingService(properties);
            Instance instance = new Instance();
            instance.setIp(ip);
            instance.setPort(8091);
            instance.setClusterName(where.cluster());
            Await.until("registered", MAX, () -> {
                naming.registerInstance(where.service(), where.group(), instance);
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
