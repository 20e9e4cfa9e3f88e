package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
class NacosServerIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    static Path directory;

    /** The client writes logs and snapshots into the user's home unless told otherwise. */
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
    void registeredInstanceIsFoundAndPushedAndComesBackAfterARestart() throws Exception {
        try (NacosServer server = NacosServer.start(directory.resolve("home"))) {
            NamingService provider = NacosFactory.createNamingService(server.serverAddr());
            NamingService consumer = NacosFactory.createNamingService(server.serverAddr());
            BlockingQueue<List<Instance>> pushed = new LinkedBlockingQueue<>();
            try {
                consumer.subscribe("txn-coordinator", event -> pushed.add(((NamingEvent) event).getInstances()));
                provider.registerInstance("txn-coordinator", instance());
                awaitPush(pushed);

                server.kill9();
                server.restart();
                Await.until("the provider has registered again", MAX, () -> found(server));
            } finally {
                provider.shutDown();
                consumer.shutDown();
            }
        }
    }

    private static void awaitPush(BlockingQueue<List<Instance>> pushed) throws InterruptedException {
        for (List<Instance> instances = pushed.poll(90, TimeUnit.SECONDS);
                instances != null;
                instances = pushed.poll(90, TimeUnit.SECONDS)) {
            if (!instances.isEmpty()) {
                assertThat(instances.get(0).getPort()).isEqualTo(8091);
                assertThat(instances.get(0).getMetadata()).containsEntry("zone", "a");
                return;
            }
        }
        throw new AssertionError("the server pushed nothing");
    }

    private static Instance instance() {
        Instance instance = new Instance();
        instance.setIp("127.0.0.1");
        instance.setPort(8091);
        instance.setMetadata(Map.of("zone", "a"));
        return instance;
    }

    /** Asks as a newcomer would, without anything cached. */
    private static boolean found(NacosServer server) throws NacosException {
        NamingService newcomer = NacosFactory.createNamingService(server.serverAddr());
        try {
            return newcomer.getAllInstances("txn-coordinator", false).size() == 1;
        } finally {
            newcomer.shutDown();
        }
    }
}
