package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.journal.Journal;
import io.txn.test.SeataClient;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** That the benchmarks do what they say, by counts; how fast is none of a test's business. */
class BenchmarksIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void theLightClientsTransactionsAreTheOnesTheCoordinatorCounts() {
        try (CoordinatorProcess coordinator = coordinator();
                LightClient client = LightClient.connect("127.0.0.1", coordinator.port(), 2)) {
            Load load = new Load(client, 1);

            Load.Result unique = load.run(Workload.of(8, 2, LONG).withMost(40));
            Load.Result none = load.run(Workload.of(1, 0, LONG).withMost(10));
            Load.Result hot = load.run(Workload.of(8, 2, LONG).withHotRows(2).withMost(40));

            assertThat(unique.ended()).isEqualTo(40);
            assertThat(unique.latency().getTotalCount()).isEqualTo(40);
            assertThat(unique.lockConflicts()).isZero();
            assertThat(none.ended()).isEqualTo(10);
            assertThat(hot.ended() + hot.rolledBack()).isEqualTo(40);
            Statistics statistics = coordinator.settled();
            assertThat(statistics.begun()).isEqualTo(90);
            assertThat(statistics.committed()).isEqualTo(50 + hot.ended());
            assertThat(statistics.rolledBack()).isEqualTo(hot.rolledBack());
            assertThat(statistics.lockConflicts()).isEqualTo(hot.lockConflicts());
            assertThat(statistics.locks()).isZero();
            assertThat(statistics.callsFailed()).isZero();
            assertThat(statistics.fsyncs()).isPositive();
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
    void theRealSeataClientsTransactionsAreTheOnesTheCoordinatorCounts() {
        try (CoordinatorProcess coordinator = coordinator();
                SeataClient client =
                        SeataClient.startForLoad(coordinator.address(), "load", directory.resolve("client"))) {
            Map<String, Long> figures = client.load(4, 2, 0, LONG, 20, LONG);

            assertThat(figures)
                    .containsEntry("transactions", 20L)
                    .containsEntry("branches", 40L)
                    .containsEntry("branchesCommitted", 40L);
            Statistics statistics = coordinator.settled();
            assertThat(statistics.committed()).isEqualTo(20);
            assertThat(statistics.branchesRegistered()).isEqualTo(40);

            Map<String, Long> hot = client.load(4, 2, 2, LONG, 20, LONG);

            assertThat(hot.get("transactions") + hot.get("rolledBack")).isEqualTo(20);
            assertThat(coordinator.settled().committed()).isEqualTo(20 + hot.get("transactions"));
            assertThat(coordinator.settled().locks()).isZero();
        }
    }

    @Test
    void openTransactionsAndTheirLocksAreThereAfterTheRestart() throws Exception {
        String text = run(new MillionBenchmark(), "--transactions=500", "--concurrency=16", "--heap=256m");

        assertThat(text).contains("all 500 are there with their locks");
    }

    @Test
    @EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
    void theTableOfTheCoordinatorHasARowForEachCombination() throws Exception {
        String text = run(
                new CoordinatorBenchmark(),
                "--concurrency=1,4",
                "--branches=0,2",
                "--hot-rows=0,4",
                "--open=50",
                "--seconds=0",
                "--warm-up=0",
                "--heap=256m");

        assertThat(text.lines().filter(line -> line.startsWith("unique"))).hasSize(4 + 2);
        assertThat(text.lines().filter(line -> line.startsWith("4 hot"))).hasSize(4);
    }

    /** It counts the calls of the steps and the coordinator's commits itself, and fails when they do not fit. */
    @Test
    void everySagaOfTheSagaBenchmarkCallsBothOfItsSteps() throws Exception {
        String text = run(
                new SagaBenchmark(),
                "--concurrency=1,4",
                "--rounds=1",
                "--seconds=60",
                "--most=20",
                "--warm-up=5",
                "--heap=256m");

        assertThat(text.lines().filter(line -> line.startsWith("coordinator") && line.contains(" 2.00 ")))
                .hasSize(2);
    }

    @Test
    void bothLogsOfTheJournalBenchmarkAnswerEveryRecord() throws Exception {
        int records = 100;
        CountDownLatch durable = new CountDownLatch(2 * records);
        try (Journal journal = FileJournal.open(directory.resolve("journal"), FileJournalOptions.DEFAULTS);
                BareLog bare = new BareLog(directory.resolve("bare.log"), 1 << 20, records * 100)) {
            journal.replay(new JournalBenchmark.Nothing());
            JournalBenchmark.Log log = new JournalBenchmark.JournalLog(journal);
            for (int i = 0; i < records; i++) {
                log.append(ByteBuffer.allocate(100), failure -> count(failure, durable));
                bare.append(ByteBuffer.allocate(100), failure -> count(failure, durable));
            }
            assertThat(durable.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(journal.statistics().records()).isEqualTo(records);
        }
        assertThat(run(new JournalBenchmark(), "--writers=2", "--rounds=1", "--seconds=0"))
                .contains("of a bare group commit");
    }

    @Test
    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    void theComparisonHasARowForEachSeries() throws Exception {
        String text = run(
                new CompareBenchmark(),
                "--concurrency=2",
                "--branches=0,2",
                "--hot-rows=0,4",
                "--rounds=1",
                "--seconds=1",
                "--warm-up=1",
                "--heap=512m");

        for (String series :
                List.of("Seata client, Seata server", "Seata client, coordinator", "light client, coordinator")) {
            assertThat(text.lines().filter(line -> line.startsWith(series))).hasSize(3);
        }
        assertThat(text).contains("2 concurrent, 0 branches", "2 concurrent, 2 branches, 4 hot rows");
    }

    private static void count(@Nullable Throwable failure, CountDownLatch durable) {
        if (failure == null) {
            durable.countDown();
        }
    }

    private CoordinatorProcess coordinator() {
        return CoordinatorProcess.start(directory.resolve("data"), directory.resolve("coordinator.log"), "256m");
    }

    private String run(Benchmark benchmark, String... options) throws Exception {
        return run(directory, benchmark, options);
    }

    /** What a benchmark says. */
    static String run(Path directory, Benchmark benchmark, String... options) throws Exception {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        Map<String, String> defaults = benchmark.defaults();
        defaults.put(Benchmark.DIRECTORY, directory.toString());
        Benchmarks.run(
                benchmark,
                Options.parse(defaults, List.of(options)),
                new PrintStream(text, true, StandardCharsets.UTF_8));
        return text.toString(StandardCharsets.UTF_8);
    }
}
