package io.txn.test.discovery;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.NacosServer;
import io.txn.test.Ports;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Nacos, Eureka and a coordinator that is registered in both: one of each for all tests, which end with this JVM. */
final class Servers {

    static final Duration MAX = Duration.ofSeconds(120);

    private static Servers started;

    private final Path home = Files.createTempDirectory(Files.createDirectories(Path.of("target/servers")), "run-")
            .toAbsolutePath();
    private final int eurekaPort = Ports.free();
    private final int tcpPort = Ports.free();
    private final JavaProcess eureka = JavaProcess.mainClass(EurekaServerMain.class)
            .args(Integer.toString(eurekaPort))
            .directory(home)
            .start(home.resolve("eureka.log"));
    // While the other one starts.
    private final NacosServer nacos = NacosServer.start(home.resolve("nacos"));
    private JavaProcess coordinator;

    private Servers() throws IOException {
        eureka.awaitLine("Eureka serves", MAX);
        coordinator = JavaProcess.coordinator(jar())
                .args(
                        "--server.port=" + Ports.free(),
                        "--txn.coordinator.tcp.port=" + tcpPort,
                        "--txn.coordinator.nacos.server-addr=" + nacos.serverAddr(),
                        "--txn.coordinator.eureka.urls=" + eurekaUrl())
                .directory(home)
                .start(home.resolve("coordinator.log"));
        awaitRegistered(2);
    }

    private void awaitRegistered(long times) {
        Await.until("the coordinator is registered in both", MAX, () -> {
            if (!coordinator.isAlive()) {
                throw new AssertionError("it ended:\n" + coordinator.output());
            }
            return registered() == times;
        });
    }

    private long registered() {
        return coordinator
                .output()
                .lines()
                .filter(line -> line.contains("Registered."))
                .count();
    }

    static synchronized Servers start() throws IOException {
        if (started == null) {
            started = new Servers();
        }
        if (!started.coordinator.isAlive()) {
            long before = started.registered();
            started.coordinator = started.coordinator.again();
            started.awaitRegistered(before + 2);
        }
        return started;
    }

    private static Path jar() throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Path.of("../txn-coordinator-app/target"), "txn-coordinator-app-*-exec.jar")) {
            files.forEach(found::add);
        }
        if (found.size() != 1) {
            throw new IllegalStateException("expected one executable jar of the coordinator, found " + found);
        }
        return found.get(0).toAbsolutePath();
    }

    String nacosAddress() {
        return nacos.serverAddr();
    }

    String eurekaUrl() {
        return "http://127.0.0.1:" + eurekaPort + "/eureka";
    }

    String coordinatorAddress() {
        return "127.0.0.1:" + tcpPort;
    }

    Path home() {
        return home;
    }

    JavaProcess coordinator() {
        return coordinator;
    }
}
