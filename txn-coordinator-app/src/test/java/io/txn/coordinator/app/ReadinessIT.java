package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.test.Await;
import io.txn.test.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What probes are told by the executable jar on a disk that runs full and is cleared again: mounted small, in a name space of the test's own. */
class ReadinessIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void aFullDiskEndsReadinessNotTheProcessAndRoomBringsItBack() throws Exception {
        Path mount = Files.createDirectory(directory.resolve("mount"));
        assumeTrue(mounts(mount), "this machine does not let a test mount a memory file system");
        Path fill = directory.resolve("fill");
        Path clear = directory.resolve("clear");
        Path output = directory.resolve("coordinator.log");
        int http = Ports.free();
        int tcp = Ports.free();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        // The segments of a new journal take 48 MiB.
        String script = "mount -t tmpfs -o size=72m tmpfs '" + mount + "' || exit 1\n"
                + "( until [ -e '" + fill + "' ]; do sleep 0.1; done; cat /dev/zero > '" + mount + "/ballast'; "
                + "until [ -e '" + clear + "' ]; do sleep 0.1; done; rm '" + mount + "/ballast' ) &\n"
                + "exec '" + java + "' -XX:TieredStopAtLevel=1 -Xmx256m -jar '" + CoordinatorProcess.jar()
                + "' --server.port=" + http + " --txn.coordinator.tcp.port=" + tcp
                + " --txn.coordinator.data-dir='" + mount + "/data'";
        Process process = new ProcessBuilder(unshared(script))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            Http probe = new Http(http, null);
            Await.until(
                    "the coordinator is ready",
                    CoordinatorProcess.START_WAIT,
                    () -> isAlive(process, output) && ready(probe));
            try (TcpApplication shop = new TcpApplication(tcp, "shop", "db")) {
                String open = shop.begin("open");
                Files.createFile(fill);
                String data = "d".repeat(900_000);
                int[] branches = new int[1];
                Await.until("it is not ready", MAX, () -> {
                    if (branches[0] < 60) {
                        shop.register(open, "db", "stock:" + branches[0]++, data);
                    }
                    return probe.get("/actuator/health/readiness").status() == 503;
                });
                assertThat(probe.get("/actuator/health/liveness").status()).isEqualTo(200);
                assertThat(shop.begin("refused")).isNull();
                Files.createFile(clear);
                Await.until("it is ready again", MAX, () -> ready(probe));
                shop.commit(shop.begin("taken again"));
            }
        } finally {
            process.destroy();
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            Files.writeString(fill, "");
            Files.writeString(clear, ""); // so that nobody goes on waiting for them
        }
    }

    private static boolean isAlive(Process process, Path output) {
        if (!process.isAlive()) {
            try {
                throw new AssertionError("it ended:\n" + Files.readString(output));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return true;
    }

    private static boolean ready(Http probe) {
        try {
            return probe.ready();
        } catch (java.io.UncheckedIOException e) {
            return false; // it does not listen yet
        }
    }

    private static List<String> unshared(String script) {
        return List.of("unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script);
    }

    private static boolean mounts(Path mount) throws InterruptedException {
        try {
            Process tried = new ProcessBuilder(unshared("mount -t tmpfs -o size=1m tmpfs '" + mount + "'"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return tried.waitFor(20, TimeUnit.SECONDS) && tried.exitValue() == 0;
        } catch (IOException e) {
            return false; // no such tool here
        }
    }
}
