package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The executable jar as an operator meets it: started with nothing, stopped, killed, started twice, started on damaged data. */
class CoordinatorProcessIT {

    private static final Duration STOP_WAIT = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    @Test
    void theFirstStartMakesATokenAndRestartsAndKillsKeepEverything() throws Exception {
        String token;
        String open;
        String decided;
        int http;
        try (CoordinatorProcess first = CoordinatorProcess.startJar(directory).awaitReady()) {
            token = first.token();
            assertThat(occurrences(token, first.process().output()))
                    .as("the token is printed once")
                    .isEqualTo(1);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first.dataDir())))
                    .isEqualTo("rwx------");
            assertThat(PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(first.dataDir().resolve("admin-token"))))
                    .isEqualTo("rw-------");
            assertThat(first.process().output())
                    .contains("tcp=127.0.0.1:" + first.tcpPort())
                    .contains("advertised=127.0.0.1:" + first.tcpPort())
                    .doesNotContain("Using generated security password");
            if (OS.LINUX.isCurrentOs()) {
                assertThat(Files.readString(
                                Path.of("/proc", Long.toString(first.process().pid()), "maps")))
                        .as("Netty's native transport is in the jar, and loaded")
                        .contains("netty_transport_native_epoll");
            }
            assertThat(new Http(first.httpPort(), null)
                            .get("/api/v1/transactions")
                            .status())
                    .isEqualTo(401);
            try (TcpApplication orders = new TcpApplication(first.tcpPort(), "orders", "db")) {
                open = orders.begin("stays open");
                orders.register(open, "db", "stock:1");
                decided = orders.begin("is committed");
                orders.commit(decided);
            }
            assertShown(first, open, "ACTIVE");
            http = first.httpPort();
            first.process().kill9();

            try (CoordinatorProcess second =
                    first.again("--txn.coordinator.shutdown-timeout=1s").awaitReady()) {
                assertThat(second.httpPort()).isEqualTo(http);
                assertThat(second.token()).isEqualTo(token);
                assertThat(second.process().output()).doesNotContain(token);
                assertShown(second, open, "ACTIVE");
                assertShown(second, decided, "COMMITTED");
                assertThat(second.admin()
                                .get("/api/v1/locks")
                                .json()
                                .get("locks")
                                .size())
                        .isEqualTo(1);
                assertThat(second.process().term(STOP_WAIT))
                        .as("it ends by itself")
                        .isTrue();

                try (CoordinatorProcess third = second.again().awaitReady()) {
                    assertShown(third, open, "ACTIVE");
                    assertShown(third, decided, "COMMITTED");
                    try (TcpApplication orders = new TcpApplication(third.tcpPort(), "orders", "db")) {
                        orders.commit(open);
                    }
                    assertShown(third, open, "COMMITTING", "COMMITTED");
                }
            }
        }
    }

    /** The bound is longer than the test waits: so the end comes from what is done, and not from the bound. */
    @Test
    void toldToStopItServesWhatWasBegunIsNotReadyAndThenEnds() throws Exception {
        try (CoordinatorProcess first = CoordinatorProcess.start(directory, "--txn.coordinator.shutdown-timeout=10m")
                        .awaitReady();
                TcpApplication orders = new TcpApplication(first.tcpPort(), "orders", "db")) {
            String open = orders.begin("under way");
            CompletableFuture<Boolean> ended =
                    CompletableFuture.supplyAsync(() -> first.process().term(STOP_WAIT));
            Await.until("nothing is begun", STOP_WAIT, () -> {
                String xid = orders.begin("too late");
                if (xid != null) {
                    orders.rollback(xid);
                }
                return xid == null;
            });
            assertThat(first.admin().get("/actuator/health/readiness").status()).isEqualTo(503);
            assertShown(first, open, "ACTIVE");
            orders.register(open, "db", "stock:1");
            orders.commit(open);
            assertThat(ended.get(60, TimeUnit.SECONDS))
                    .as(first.process().output())
                    .isTrue();
            assertThat(first.process().output()).contains("nothing is under way any more");
        }
    }

    /** Whoever spins is at work, or waits for a processor, all the time, however many others want one. Compilers stop by themselves. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void whileNobodyAsksAnythingNoThreadSpins() throws Exception {
        try (CoordinatorProcess idle = CoordinatorProcess.start(directory).awaitReady()) {
            Path threads = Path.of("/proc", Long.toString(idle.process().pid()), "task");
            Await.until("no thread is busy for two seconds", Duration.ofSeconds(90), () -> {
                Map<String, Long> before = busyNanos(threads);
                LockSupport.parkNanos(Duration.ofSeconds(2).toNanos());
                Map<String, Long> after = busyNanos(threads);
                assertThat(after.values()).as("the kernel counts").anyMatch(nanos -> nanos > 0);
                after.replaceAll((thread, nanos) -> nanos - before.getOrDefault(thread, nanos));
                return after.values().stream()
                        .allMatch(nanos -> nanos < Duration.ofSeconds(1).toNanos());
            });
        }
    }

    /** By thread: the time on a processor and the time in the queue for one. */
    private static Map<String, Long> busyNanos(Path threads) {
        Map<String, Long> busy = new HashMap<>();
        try (Stream<Path> all = Files.list(threads)) {
            for (Path thread : all.toList()) {
                try {
                    String[] times =
                            Files.readString(thread.resolve("schedstat")).split(" ");
                    busy.put(thread.toString(), Long.parseLong(times[0]) + Long.parseLong(times[1]));
                } catch (IOException e) {
                    // It has just ended.
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return busy;
    }

    /** Its class loader asks the libraries one after the other: what a start wants thousands of times must not stand behind fifty others. */
    @Test
    void theLibrariesThatAStartAsksForMostComeFirstInTheJar() throws Exception {
        try (JarFile jar = new JarFile(CoordinatorProcess.jar().toFile())) {
            List<JarEntry> libraries = jar.stream()
                    .filter(entry -> entry.getName().matches("BOOT-INF/lib/.*[.]jar"))
                    .toList();
            assertThat(libraries.subList(0, 4))
                    .extracting(entry -> entry.getName().replaceFirst("-[0-9].*", ""))
                    .containsExactlyInAnyOrder(
                            "BOOT-INF/lib/spring-beans",
                            "BOOT-INF/lib/spring-boot",
                            "BOOT-INF/lib/spring-context",
                            "BOOT-INF/lib/spring-core");
            assertThat(libraries).doesNotHaveDuplicates().allMatch(entry -> entry.getMethod() == ZipEntry.STORED);
            assertThat(jar.stream().map(ZipEntry::getTimeLocal).distinct())
                    .as("two builds of one source are the same bytes")
                    .hasSize(1);
        }
    }

    /** The tool in the same jar. */
    private String journal(int status, String... arguments) {
        Path log = directory.resolve("journal-" + String.join("", arguments).hashCode() + "-" + status + ".log");
        try (JavaProcess tool = JavaProcess.jar(CoordinatorProcess.jar())
                .args("journal")
                .args(arguments)
                .start(log)) {
            assertThat(tool.waitFor(Duration.ofSeconds(60))).isTrue();
            assertThat(tool.exitCode()).as(tool.output()).hasValue(status);
            return tool.output();
        }
    }

    /** The same without a JVM of its own, which takes longest of it. */
    private static String journalHere(int status, String... arguments) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            assertThat(new JournalCommand(out, InstantSource.system(), new Random(1)).run(arguments))
                    .as(said.toString(StandardCharsets.UTF_8))
                    .isEqualTo(status);
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    private static void assertShown(CoordinatorProcess coordinator, String xid, String... states) {
        Http.Answer answer = coordinator.admin().get("/api/v1/transactions/" + xid);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().get("state").asString()).isIn((Object[]) states);
    }

    private static int occurrences(String text, String in) {
        Matcher matcher = Pattern.compile(Pattern.quote(text)).matcher(in);
        int count = 0;
        while (matcher.find()) {
            count++;
        }
        return count;
    }

    @Test
    void aSecondCoordinatorOnTheSameDataIsTurnedAwayAndTheFirstGoesOn() {
        try (CoordinatorProcess first = CoordinatorProcess.start(directory).awaitReady();
                CoordinatorProcess second = CoordinatorProcess.start(directory)) {
            assertThat(second.awaitFailure())
                    .contains("APPLICATION FAILED TO START")
                    .contains("TXN-CRD003")
                    .contains("pid: " + first.process().pid())
                    .contains("Stop the other coordinator, or give this one its own txn.coordinator.data-dir.")
                    .doesNotContain("\tat io.txn");
            assertThat(first.admin().get("/api/v1/transactions").status()).isEqualTo(200);
        }
    }

    @Test
    void aDamagedJournalNamesFileAndOffset() throws Exception {
        try (CoordinatorProcess first = CoordinatorProcess.start(directory).awaitReady()) {
            try (TcpApplication orders = new TcpApplication(first.tcpPort(), "orders")) {
                for (int i = 0; i < 20; i++) {
                    orders.begin("purchase");
                }
            }
            first.process().kill9();
            Path segment;
            try (Stream<Path> files = Files.list(first.dataDir().resolve("journal"))) {
                segment = files.filter(file -> file.toString().endsWith(".log"))
                        .findFirst()
                        .orElseThrow();
            }
            try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
                file.seek(64 + 45); // inside the first frame, of which many valid ones follow
                int old = file.read();
                file.seek(64 + 45);
                file.write(old ^ 1);
            }
            try (CoordinatorProcess second = first.again()) {
                assertThat(second.awaitFailure())
                        .contains("TXN-CRD002")
                        .contains("file: " + segment.toRealPath())
                        .contains("offset: 64")
                        .contains("Restore the named file from a copy");
            }
            String data = "--data-dir=" + first.dataDir();
            assertThat(journal(1, "check", data))
                    .contains("DAMAGED offset=64 ")
                    .contains(segment.toRealPath().toString());
            assertThat(journalHere(0, "list", data, "--records")).contains("DAMAGED offset=64 ");
            assertThat(journalHere(2, "repair", data)).contains("--cut-at-damage");
            assertThat(journalHere(0, "repair", data, "--cut-at-damage"))
                    .contains("lost: every record from 1 on")
                    .contains("Begun[")
                    .contains("no damage");
            try (CoordinatorProcess third = first.again().awaitReady()) {
                assertThat(journalHere(1, "repair", data, "--cut-at-damage")).contains("TXN-CRD003");
                assertThat(third.process().isAlive()).isTrue();
            }
        }
    }
}
