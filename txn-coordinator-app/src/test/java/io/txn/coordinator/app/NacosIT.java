package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import io.txn.coordinator.app.registration.Advertised;
import io.txn.coordinator.app.registration.NacosRegistry;
import io.txn.coordinator.app.registration.Registration;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import io.txn.test.SeataClient;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The executable jar and a real Nacos server, each in a process of its own; a client looks the coordinator up. */
class NacosIT {

    private static final Duration LOOK_UP_WAIT = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static NacosServer server;
    private static NamingService client;

    @BeforeAll
    static void startTheRegistry() throws Exception {
        server = NacosServer.start(directory.resolve("nacos"));
        client = client("");
    }

    private static NamingService client(String namespace) throws Exception {
        Properties properties = new Properties();
        properties.setProperty(PropertyKeyConst.SERVER_ADDR, server.serverAddr());
        properties.setProperty(PropertyKeyConst.NAMESPACE, namespace);
        properties.setProperty(
                PropertyKeyConst.NAMING_CACHE_REGISTRY_DIR,
                directory.resolve("client").toString());
        return NacosFactory.createNamingService(properties);
    }

    @AfterAll
    static void stopTheRegistry() throws Exception {
        client.shutDown();
        server.close();
    }

    private static List<Instance> found(String service, String group) throws Exception {
        return found(client, service, group);
    }

    private static List<Instance> found(NamingService who, String service, String group) throws Exception {
        return who.selectInstances(service, group, List.of(), true, false);
    }

    private static void awaitFound(CoordinatorProcess coordinator, String service, String group, boolean there) {
        awaitFound(client, coordinator, service, group, there);
    }

    private static void awaitFound(
            NamingService who, CoordinatorProcess coordinator, String service, String group, boolean there) {
        Await.until("the coordinator is " + (there ? "" : "not ") + "found", LOOK_UP_WAIT, () -> {
            boolean found = found(who, service, group).stream().anyMatch(i -> i.getPort() == coordinator.tcpPort());
            return found == there;
        });
    }

    @Test
    void theCoordinatorIsFoundWithItsMetadataAndLeavesWhenItIsStopped() throws Exception {
        Path home = Files.createDirectory(directory.resolve("one"));
        NamingService inShop = client("shop");
        try (CoordinatorProcess coordinator = CoordinatorProcess.start(
                        home,
                        "--txn.coordinator.nacos.server-addr=" + server.serverAddr(),
                        "--txn.coordinator.nacos.namespace=shop",
                        "--txn.coordinator.nacos.group=TXN",
                        "--txn.coordinator.nacos.service=tc",
                        "--txn.coordinator.nacos.cluster=blue")
                .awaitReady()) {
            awaitFound(inShop, coordinator, "tc", "TXN", true);
            assertThat(found("tc", "TXN")).as("in another namespace").isEmpty();
            Instance instance = found(inShop, "tc", "TXN").get(0);
            assertThat(instance.getIp()).isEqualTo("127.0.0.1");
            assertThat(instance.getClusterName()).isEqualTo("blue");
            assertThat(instance.isEphemeral()).isTrue();
            assertThat(instance.getMetadata())
                    .containsEntry("http-port", Integer.toString(coordinator.httpPort()))
                    .containsEntry("txn-tcp-port", Integer.toString(coordinator.tcpPort()))
                    .containsEntry(
                            "domain",
                            Files.readString(coordinator.dataDir().resolve("domain"))
                                    .strip())
                    .containsKey("version")
                    .hasEntrySatisfying("features", names -> assertThat(names).contains("lock-wait"))
                    .doesNotContainValue("unknown");

            long from = System.nanoTime();
            assertThat(coordinator.process().term(Duration.ofSeconds(30))).isTrue();
            awaitFound(inShop, coordinator, "tc", "TXN", false);
            // An instance that merely vanished would stay for the server's 15 seconds at least, or until its connection
            // breaks.
            assertThat(coordinator.process().output()).contains("Left the registry");
            System.out.println("NacosIT: gone " + (System.nanoTime() - from) / 1_000_000 + " ms after SIGTERM");
            assertThat(home.resolve("txn-data")).exists();
        } finally {
            inShop.shutDown();
        }
    }

    /** Nothing is changed in the application: it looks for the names of Seata's samples. */
    @ParameterizedTest
    @EnumSource(SeataClient.Version.class)
    void aRealSeataClientFindsTheCoordinatorInPlaceOfItsServer(SeataClient.Version version) throws Exception {
        assumeTrue(
                version == SeataClient.Version.V2_6 || Boolean.getBoolean("txn.test.full"),
                "older clients are for the long form");
        TestDatabase database = TestDatabases.mariaDb().withMySqlDriver();
        database.execute(
                SeataClient.undoTable(),
                "CREATE TABLE stock (id INT PRIMARY KEY, pieces INT)",
                "INSERT INTO stock VALUES (1, 10)");
        Path home = Files.createDirectory(directory.resolve("seata" + version));
        try (CoordinatorProcess coordinator = CoordinatorProcess.start(
                        home,
                        "--txn.coordinator.nacos.server-addr=" + server.serverAddr(),
                        "--txn.coordinator.nacos.seata.enabled=true")
                .awaitReady()) {
            awaitFound(coordinator, "seata-server", "SEATA_GROUP", true);
            awaitFound(coordinator, "txn-coordinator", "DEFAULT_GROUP", true);
            try (SeataClient shop = SeataClient.startWithNacos(
                    version,
                    server.serverAddr(),
                    "shop",
                    home.resolve("client"),
                    List.of(new SeataClient.Source(SeataClient.Mode.AT, database)))) {
                String kept = shop.begin(Duration.ofMinutes(1));
                assertThat(kept).startsWith("127.0.0.1:" + coordinator.tcpPort() + ":");
                shop.execute(kept, 0, "UPDATE stock SET pieces = 9 WHERE id = 1");
                assertThat(shop.commit(kept)).isEqualTo("Committed");
                String undone = shop.begin(Duration.ofMinutes(1));
                shop.execute(undone, 0, "DELETE FROM stock WHERE id = 1");
                assertThat(shop.rollback(undone)).isEqualTo("Rollbacked");
                assertThat(shop.execute("", 0, "SELECT pieces FROM stock WHERE id = 1"))
                        .isEqualTo("[9]");
            }
            assertThat(coordinator.process().term(Duration.ofSeconds(30))).isTrue();
            awaitFound(coordinator, "seata-server", "SEATA_GROUP", false);
        }
    }

    @Test
    void aCoordinatorThatServesNoMoreIsNotFound() throws Exception {
        AtomicBoolean healthy = new AtomicBoolean(true);
        Registration registration = new Registration(
                new NacosRegistry(
                        new NacosRegistry.Target(
                                server.serverAddr(), "", "G", "sick", "DEFAULT", null, null, null, null),
                        directory.resolve("sick")),
                () -> Advertised.of("coordinator.internal:8091", Map.of()),
                healthy::get,
                new Random(1));
        registration.start();
        try {
            Await.until("found", LOOK_UP_WAIT, () -> found("sick", "G").size() == 1);
            assertThat(found("sick", "G").get(0).getIp())
                    .as("a host name stays a name")
                    .isEqualTo("coordinator.internal");
            healthy.set(false);
            Await.until("not found", LOOK_UP_WAIT, () -> found("sick", "G").isEmpty());
            healthy.set(true);
            Await.until("found again", LOOK_UP_WAIT, () -> found("sick", "G").size() == 1);
        } finally {
            registration.stop();
        }
    }
}
