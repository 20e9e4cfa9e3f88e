package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator on a real file system that runs full and is cleared again: mounted small, in a name space of the test's own. */
class CoordinatorFullDiskIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** Runs on the small file system. Each line that it prints is something that it has seen. */
    static final class OnTheSmallDisk {

        public static void main(String[] args) throws Exception {
            Path mount = Path.of(args[0]);
            Path ballast = mount.resolve("ballast");
            String commits;
            String rollsBack;
            String stays;
            String late;
            try (Coordinator coordinator = start(mount);
                    HandDrivenClient client =
                            HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0", "db", "service")) {
                commits = client.begin(600_000);
                client.register(commits, BranchType.TCC, "service", null);
                rollsBack = client.begin(600_000);
                client.register(rollsBack, BranchType.AT, "db", "stock:1");
                stays = client.begin(600_000);
                String filler = client.begin(600_000);
                fill(ballast);
                for (int i = 0; i < 60 && refusal(client) == null; i++) {
                    client.tryRegister(filler, BranchType.TCC, "service", null, "d".repeat(900_000));
                }
                Await.until("begins are refused", MAX, () -> refusal(client) != null);
                System.out.println("refused: " + refusal(client));
                System.out.println("commit " + client.commit(commits));
                System.out.println("rollback " + client.rollback(rollsBack));
                client.register(stays, BranchType.AT, "db", "stock:2");
                System.out.println("healthy " + coordinator.healthy());
                Files.delete(ballast);
                Await.until("begins are taken again", MAX, () -> refusal(client) == null);
                late = client.begin(600_000);
            }
            try (Coordinator coordinator = start(mount)) {
                for (String xid : new String[] {commits, rollsBack, stays, late}) {
                    TransactionSummary found = coordinator
                            .transaction(new Xid(xid))
                            .join()
                            .orElseThrow()
                            .summary();
                    System.out.println("after the restart " + found.state() + " with " + found.branches());
                }
            }
        }

        private static Coordinator start(Path mount) {
            return Coordinator.start(CoordinatorOptions.DEFAULTS
                    .withListen("127.0.0.1", 0)
                    .withAdvertisedAddress("127.0.0.1:8091")
                    .withDataDir(mount.resolve("data")));
        }

        /** The message of a begin that is refused, or null; what was begun is rolled back. */
        private static String refusal(HandDrivenClient client) {
            var answer = client.ask(new Message.GlobalBeginRequest(60_000, "try"), Message.GlobalBeginResponse.class);
            if (answer.outcome().succeeded()) {
                client.rollback(answer.xid());
                return null;
            }
            return answer.outcome().message();
        }

        private static void fill(Path ballast) {
            try (OutputStream out = Files.newOutputStream(ballast)) {
                for (int i = 0; i < 1 << 20; i++) {
                    out.write(new byte[1024]);
                }
            } catch (IOException e) {
                System.out.println("full: " + e.getMessage());
            }
        }
    }

    @Test
    void aFullDiskRefusesBeginsLetsTheRestFinishAndComesBackWithEverything() throws Exception {
        Path mount = Files.createDirectory(directory.resolve("mount"));
        assumeTrue(run("true", mount).exit == 0, "this machine does not let a test mount a memory file system");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Result result = run(
                "'" + java + "' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m -cp \"$COORDINATOR_CLASS_PATH\" '"
                        + OnTheSmallDisk.class.getName() + "' '" + mount + "'",
                mount);
        assertThat(result.output)
                .contains("full: No space left on device")
                .contains("refused: TXN-CRD012")
                .contains("commit COMMITTED")
                .contains("rollback ROLLED_BACK")
                .contains("healthy true")
                .containsSubsequence(
                        "after the restart COMMITTED with 1",
                        "after the restart ROLLED_BACK with 1",
                        "after the restart ACTIVE with 1",
                        "after the restart ACTIVE with 0");
        assertThat(result.exit).as(result.output).isZero();
    }

    private record Result(int exit, String output) {}

    /** The segments of a new journal take 48 MiB. */
    private Result run(String command, Path mount) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "output", ".log");
        ProcessBuilder builder = new ProcessBuilder(
                        "unshare",
                        "--user",
                        "--map-root-user",
                        "--mount",
                        "/bin/sh",
                        "-c",
                        "mount -t tmpfs -o size=72m tmpfs '" + mount + "' && exec " + command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("COORDINATOR_CLASS_PATH", System.getProperty("java.class.path"));
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            return new Result(127, e.toString()); // no such tool here
        }
        try {
            assertThat(process.waitFor(240, TimeUnit.SECONDS)).isTrue();
            return new Result(process.exitValue(), Files.readString(output));
        } finally {
            process.destroyForcibly();
        }
    }
}
