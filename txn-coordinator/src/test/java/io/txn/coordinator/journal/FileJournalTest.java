package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileJournalTest {

    private static final FileJournalOptions SMALL = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(1_000)
            .withMaxWaitingBytes(2_000)
            .withSegmentBytes(4_096);

    @TempDir
    Path directory;

    @Test
    void whatWasAppendedComesBackInOrder() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            assertThat(journal.replay(new Recorded())).isZero();
            assertThat(Appended.to(journal, "one").index()).isEqualTo(1);
            assertThat(Appended.to(journal, "").index()).isEqualTo(2);
            assertThat(Appended.to(journal, "three").index()).isEqualTo(3);
        }
        Recorded recorded = new Recorded();
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            assertThat(journal.replay(recorded)).isEqualTo(3);
            assertThat(Appended.to(journal, "four").index()).isEqualTo(4);
        }
        assertThat(recorded.records).containsExactly("one", "", "three");
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records)
                .containsExactly("one", "", "three", "four");
    }

    @Test
    void aRecordSpansItsBufferFromPositionToLimitAndIsCopiedAtOnce() {
        ByteBuffer buffer = ByteBuffer.wrap("xxabcxx".getBytes(StandardCharsets.UTF_8))
                .position(2)
                .limit(5);
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            Appended appended = new Appended();
            journal.append(buffer, appended);
            buffer.put(2, (byte) 'z');
            appended.index();
        }
        assertThat(buffer.position()).isEqualTo(2);
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).containsExactly("abc");
    }

    @Test
    void theLogGoesOnThroughManySegmentsAndRestarts() throws IOException {
        List<String> expected = new ArrayList<>();
        for (int run = 0; run < 5; run++) {
            try (Journal journal = FileJournal.open(directory, SMALL)) {
                Recorded recorded = new Recorded();
                journal.replay(recorded);
                assertThat(recorded.records).isEqualTo(expected);
                for (int i = 0; i < 40; i++) {
                    String text = "run " + run + " record " + i + " " + "x".repeat(i * 20);
                    Appended.to(journal, text).index();
                    expected.add(text);
                }
                assertThat(journal.statistics().segments()).isGreaterThan(4 * run);
            }
        }
        assertThat(Recorded.of(directory, SMALL).records).isEqualTo(expected);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(file -> file.toString().endsWith(".log"))).hasSizeGreaterThan(20);
        }
    }

    @Test
    void manyRestartsWithoutARecordDoNotOverfillTheSegment() {
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            journal.replay(new Recorded());
            Appended.to(journal, "x".repeat(1_000)).index();
        }
        for (int i = 0; i < 200; i++) {
            assertThat(Recorded.of(directory, SMALL).records).hasSize(1);
        }
    }

    @Test
    void recordsOfConcurrentCallersKeepTheirOrder() throws InterruptedException {
        int callers = 64;
        int each = 200;
        AtomicLong inOrder = new AtomicLong();
        CountDownLatch answered = new CountDownLatch(callers * each);
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            List<Thread> threads = IntStream.range(0, callers)
                    .mapToObj(caller -> new Thread(() -> {
                        for (int i = 0; i < each; i++) {
                            Appended waiter = new Appended();
                            journal.append(
                                    ByteBuffer.wrap((caller + ":" + i).getBytes(StandardCharsets.UTF_8)),
                                    new Completion() {
                                        @Override
                                        public void durable(long index) {
                                            if (inOrder.incrementAndGet() == index) {
                                                answered.countDown();
                                            }
                                            waiter.durable(index);
                                        }

                                        @Override
                                        public void failed(Throwable cause) {
                                            waiter.failed(cause);
                                        }
                                    });
                            waiter.index();
                        }
                    }))
                    .toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(answered.await(1, TimeUnit.SECONDS))
                    .as("every record, in the order of the indexes")
                    .isTrue();
            JournalStatistics statistics = journal.statistics();
            assertThat(statistics.records()).isEqualTo(callers * each);
            // How many share one depends on who gets a core when; that they do is counted below.
            assertThat(statistics.fsyncs()).isLessThan(callers * each).isPositive();
            assertThat(statistics.waitingRecords()).isZero();
        }
        List<String> records = Recorded.of(directory, FileJournalOptions.DEFAULTS).records;
        assertThat(records).hasSize(callers * each).doesNotHaveDuplicates();
        for (int caller = 0; caller < callers; caller++) {
            String prefix = caller + ":";
            assertThat(records.stream().filter(text -> text.startsWith(prefix)))
                    .containsExactlyElementsOf(
                            IntStream.range(0, each).mapToObj(i -> prefix + i).toList());
        }
    }

    @Test
    void allCallersThatWaitShareOneSync() throws InterruptedException {
        int callers = 64;
        int each = 200;
        CountDownLatch finished = new CountDownLatch(callers);
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            for (int i = 0; i < callers; i++) {
                // Each hands over its next record when the one before is durable, so that all of them wait at any time.
                Completion caller = new Completion() {
                    private int done;

                    @Override
                    public void durable(long index) {
                        if (++done == each) {
                            finished.countDown();
                        } else {
                            journal.append(ByteBuffer.allocate(100), this);
                        }
                    }

                    @Override
                    public void failed(Throwable cause) {
                        throw new AssertionError(cause);
                    }
                };
                journal.append(ByteBuffer.allocate(100), caller);
            }
            assertThat(finished.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .isTrue();
            assertThat(journal.statistics().records()).isEqualTo(callers * each);
            // One round each, and a few more at the beginning while the callers come one by one.
            assertThat(journal.statistics().fsyncs()).isBetween((long) each, each + callers / 2L);
            assertThat(journal.statistics().batches())
                    .isEqualTo(journal.statistics().fsyncs());
        }
    }

    @Test
    void aFullWaitingRoomTurnsCallersAwayAtOnceAndLosesNothing() throws InterruptedException {
        GatedFiles files = new GatedFiles();
        FileJournalOptions options = SMALL.withMaxWaitingRecords(3);
        List<Appended> taken = new ArrayList<>();
        try (Journal journal = FileJournal.open(directory, options, files, new java.util.Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            taken.add(Appended.to(journal, "being written"));
            files.awaitBlockedSync();
            for (int i = 0; i < 3; i++) {
                taken.add(Appended.to(journal, "waiting " + i));
            }
            Appended refused = Appended.to(journal, "one too many");
            assertThat(refused.isAnswered())
                    .as("the refusal comes before append returns")
                    .isTrue();
            assertThat(((TxnException) refused.failure()).code()).isEqualTo(ErrorCode.COORDINATOR_OVERLOADED);
            assertThat(taken).noneMatch(Appended::isAnswered);
            files.openGate();
            for (Appended appended : taken) {
                appended.index();
            }
            assertThat(Appended.to(journal, "later").index()).isEqualTo(5);
        }
        assertThat(Recorded.of(directory, options).records)
                .containsExactly("being written", "waiting 0", "waiting 1", "waiting 2", "later");
    }

    @Test
    void theWaitingRoomIsBoundedByBytesToo() throws InterruptedException {
        GatedFiles files = new GatedFiles();
        try (Journal journal = FileJournal.open(directory, SMALL, files, new java.util.Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            Appended.to(journal, "being written");
            files.awaitBlockedSync();
            Appended.to(journal, "x".repeat(996));
            Appended.to(journal, "x".repeat(990));
            assertThat(((TxnException) Appended.to(journal, "abc").failure()).code())
                    .isEqualTo(ErrorCode.COORDINATOR_OVERLOADED);
            assertThat(journal.accepts(3)).isFalse();
            assertThat(journal.accepts(2)).isTrue();
            Appended fits = Appended.to(journal, "ab");
            files.openGate();
            assertThat(fits.index()).isEqualTo(4);
        }
    }

    @Test
    void aRecordOverTheLimitIsRefusedAndOneAtTheLimitIsNot() {
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            journal.replay(new Recorded());
            assertThat(((TxnException) Appended.to(journal, "x".repeat(1_001)).failure()).code())
                    .isEqualTo(ErrorCode.RECORD_TOO_LARGE);
            assertThat(journal.accepts(1_001)).isFalse();
            assertThat(journal.accepts(1_000)).isTrue();
            assertThat(Appended.to(journal, "x".repeat(1_000)).index()).isEqualTo(1);
        }
    }

    @Test
    void closingAnswersEveryoneAndTakesNothingMore() {
        List<Appended> all = new ArrayList<>();
        Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS);
        journal.replay(new Recorded());
        for (int i = 0; i < 1_000; i++) {
            all.add(Appended.to(journal, "record " + i));
        }
        journal.close();
        journal.close();
        assertThat(all).allMatch(Appended::isAnswered);
        assertThat(all.get(999).index()).isEqualTo(1_000);
        assertThat(((TxnException) Appended.to(journal, "late").failure()).code())
                .isEqualTo(ErrorCode.JOURNAL_FAILED);
        assertThat(journal.state()).isEqualTo(JournalState.CLOSED);
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).hasSize(1_000);
    }

    @Test
    void aCompletionThatThrowsHarmsNobodyElse() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            journal.append(ByteBuffer.allocate(1), new Completion() {
                @Override
                public void durable(long index) {
                    throw new IllegalStateException("a broken owner (part of the test)");
                }

                @Override
                public void failed(Throwable cause) {}
            });
            Appended next = Appended.to(journal, "next");
            assertThat(next.index()).isEqualTo(2);
            assertThat(next.thread()).isEqualTo("txn-journal-writer");
        }
    }

    @Test
    void aLittleIsWrittenByTheThreadThatFlushesWithOneSync() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            List<Appended> staged = IntStream.range(0, 5)
                    .mapToObj(i -> Appended.staged(journal, "record " + i))
                    .toList();
            assertThat(staged).noneMatch(Appended::isAnswered);
            assertThat(journal.statistics().waitingRecords()).isEqualTo(5);
            journal.flush();
            assertThat(staged).allMatch(Appended::isAnswered);
            assertThat(staged)
                    .extracting(Appended::thread)
                    .containsOnly(Thread.currentThread().getName());
            assertThat(staged).extracting(Appended::index).containsExactly(1L, 2L, 3L, 4L, 5L);
            assertThat(journal.statistics().fsyncs()).isEqualTo(1);
            journal.flush();
            assertThat(journal.statistics().fsyncs()).isEqualTo(1);
        }
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).hasSize(5);
    }

    @Test
    void muchIsLeftToTheWriterThread() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            Appended much = Appended.staged(journal, "x".repeat(FileJournal.MOST_WRITTEN_BY_CALLER));
            journal.flush();
            assertThat(much.index()).isEqualTo(1);
            assertThat(much.thread()).isEqualTo("txn-journal-writer");
        }
    }

    @Test
    void aNewSegmentIsTheWorkOfTheWriterThread() {
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            journal.replay(new Recorded());
            for (int i = 1; i <= 40; i++) {
                Appended staged = Appended.staged(journal, "x".repeat(1_000));
                int segments = journal.statistics().segments();
                journal.flush();
                assertThat(staged.index()).isEqualTo(i);
                if (journal.statistics().segments() > segments) {
                    assertThat(staged.thread()).isEqualTo("txn-journal-writer");
                }
            }
            assertThat(journal.statistics().segments()).isGreaterThan(10);
        }
        assertThat(Recorded.of(directory, SMALL).records).hasSize(40);
    }

    @Test
    void whatIsFlushedDuringAWriteIsWrittenAfterIt() throws Exception {
        GatedFiles files = new GatedFiles();
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS, files, new Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            Appended first = Appended.to(journal, "by the writer");
            files.awaitBlockedSync();
            Appended second = Appended.staged(journal, "staged");
            journal.flush();
            assertThat(second.isAnswered()).isFalse();
            files.openGate();
            assertThat(first.index()).isEqualTo(1);
            assertThat(second.index()).isEqualTo(2);
            assertThat(second.thread()).isEqualTo("txn-journal-writer");
        }
    }

    @Test
    void whatIsAppendedWhileACallerWritesIsLeftToTheWriterThread() throws Exception {
        GatedFiles files = new GatedFiles();
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS, files, new Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            Appended first = Appended.staged(journal, "by the caller");
            Thread caller = new Thread(journal::flush, "caller");
            caller.start();
            files.awaitBlockedSync();
            Appended second = Appended.to(journal, "meanwhile");
            files.openGate();
            assertThat(second.index()).isEqualTo(2);
            assertThat(second.thread()).isEqualTo("txn-journal-writer");
            assertThat(first.isAnswered()).isTrue();
            assertThat(first.thread()).isEqualTo("caller");
            caller.join();
        }
    }

    @Test
    void closingWritesWhatWasStaged() {
        Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS);
        journal.replay(new Recorded());
        Appended staged = Appended.staged(journal, "staged");
        journal.close();
        assertThat(staged.index()).isEqualTo(1);
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).containsExactly("staged");
    }

    @Test
    void closingWaitsForTheCallerThatWrites() throws Exception {
        GatedFiles files = new GatedFiles();
        Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS, files, new Random(1));
        journal.replay(new Recorded());
        files.closeGate();
        Appended staged = Appended.staged(journal, "staged");
        Thread caller = new Thread(journal::flush, "caller");
        caller.start();
        files.awaitBlockedSync();
        Thread closer = new Thread(journal::close, "closer");
        closer.start();
        files.openGate();
        closer.join();
        assertThat(staged.index()).isEqualTo(1);
        caller.join();
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).containsExactly("staged");
    }

    @Test
    void whatACallerWroteIsSealedWhenNothingFollows() throws Exception {
        Path segment = directory.resolve(SegmentHeader.fileName(1));
        FileJournalOptions options = FileJournalOptions.DEFAULTS.withSealAfter(Duration.ofMillis(20));
        try (Journal journal = FileJournal.open(directory, options)) {
            journal.replay(new Recorded());
            int end = SegmentHeader.BYTES;
            for (int round = 0; round < 3; round++) {
                Appended.staged(journal, "12345678");
                journal.flush();
                end += Frames.aligned(Frames.HEADER + Frames.RECORD_PREFIX + 8);
                int seal = end;
                Await.until("a seal at " + seal, Duration.ofSeconds(30), () -> kindAt(segment, seal) == Frames.SEAL);
                end += Frames.HEADER;
            }
        }
    }

    private static int kindAt(Path segment, int position) {
        try {
            return ByteBuffer.wrap(Files.readAllBytes(segment)).getInt(position + 4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aCompletionCannotCloseTheJournalWhoeverWrites() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Runnable closing = journal::close;
            journal.stage(ByteBuffer.allocate(1), new Completion() {
                @Override
                public void durable(long index) {
                    try {
                        closing.run();
                    } catch (IllegalStateException e) {
                        thrown.set(e);
                    }
                }

                @Override
                public void failed(Throwable cause) {}
            });
            journal.flush();
            assertThat(thrown.get()).hasMessageContaining("cannot close the journal");
        }
    }

    @Test
    void replayComesFirstAndOnce() {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            assertThatThrownBy(() -> Appended.to(journal, "early")).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> journal.snapshot(1, out -> {})).isInstanceOf(IllegalStateException.class);
            journal.replay(new Recorded());
            assertThatThrownBy(() -> journal.replay(new Recorded())).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aSecondJournalInTheSameProcessIsTurnedAwayAndDoesNotLoosenTheFirstOnesLock() throws Exception {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            assertThatThrownBy(() -> FileJournal.open(directory, FileJournalOptions.DEFAULTS))
                    .isInstanceOfSatisfying(TxnException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_IN_USE);
                        assertThat(e.getMessage())
                                .contains("pid=" + ProcessHandle.current().pid());
                    });
            assertThat(LockProbe.run(directory)).contains("DATA_DIR_IN_USE");
        }
        assertThat(LockProbe.run(directory)).contains("opened");
    }

    @Test
    void aDirectoryThatCannotBeUsedIsNamed() throws IOException {
        Path file = Files.writeString(directory.resolve("a-file"), "");
        assertThatThrownBy(() -> FileJournal.open(file.resolve("below"), FileJournalOptions.DEFAULTS))
                .isInstanceOfSatisfying(TxnException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE);
                    assertThat(e.getMessage()).contains("below");
                });
    }

    @Test
    void onlyTheOwnerMayReadWhatIsCreated() throws IOException {
        Path created = directory.resolve("a/b");
        try (Journal journal = FileJournal.open(created, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            Appended.to(journal, "one").index();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(created)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(created.resolve(SegmentHeader.fileName(1)))))
                .isEqualTo("rw-------");
    }

    @Test
    void aSnapshotReplacesTheRecordsItContains() throws Exception {
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            journal.replay(new Recorded());
            for (int i = 1; i <= 30; i++) {
                Appended.to(journal, "record " + i + "x".repeat(500)).index();
            }
            int before = journal.statistics().segments();
            assertThat(before).isGreaterThan(4);
            journal.snapshot(25, out -> out.write("state at 25".getBytes(StandardCharsets.UTF_8)))
                    .get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(journal.statistics().segments()).isLessThan(before);
            assertThat(journal.statistics().snapshotIndex()).isEqualTo(25);
            Appended.to(journal, "after").index();
        }
        Recorded recorded = Recorded.of(directory, SMALL);
        assertThat(recorded.snapshot).isEqualTo("state at 25");
        assertThat(recorded.snapshotIndex).isEqualTo(25);
        assertThat(recorded.records)
                .hasSize(6)
                .startsWith("record 26" + "x".repeat(500))
                .endsWith("after");
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            assertThat(journal.replay(new Recorded())).isEqualTo(31);
            journal.snapshot(31, out -> out.write("state at 31".getBytes(StandardCharsets.UTF_8)))
                    .get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        recorded = Recorded.of(directory, SMALL);
        assertThat(recorded.snapshot).isEqualTo("state at 31");
        assertThat(recorded.records).isEmpty();
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(file -> file.toString().endsWith(".snap"))).hasSize(1);
        }
        try (Journal journal = FileJournal.open(directory, SMALL)) {
            assertThat(journal.replay(new Recorded())).isEqualTo(31);
            assertThat(Appended.to(journal, "go on").index()).isEqualTo(32);
        }
    }

    @Test
    void aLargeSnapshotGoesThroughWhileRecordsAreAppended() throws Exception {
        byte[] block = "0123456789abcdef".repeat(64).getBytes(StandardCharsets.UTF_8);
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch appended = new CountDownLatch(1);
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            Appended.to(journal, "one").index();
            var snapshot = journal.snapshot(1, out -> {
                started.countDown();
                try {
                    if (!appended.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                        throw new IOException("no record came through");
                    }
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                for (int i = 0; i < 3_000; i++) {
                    out.write(block);
                }
            });
            assertThat(started.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .isTrue();
            Appended.to(journal, "two").index();
            assertThat(journal.snapshot(2, out -> {})).isCompletedExceptionally();
            appended.countDown();
            snapshot.get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        Recorded recorded = Recorded.of(directory, FileJournalOptions.DEFAULTS);
        assertThat(recorded.snapshot).hasSize(3_000 * block.length).endsWith("abcdef");
        assertThat(recorded.records).containsExactly("two");
    }

    @Test
    void aSnapshotThatFailsLeavesEverythingAsItWas() throws Exception {
        try (Journal journal = FileJournal.open(directory, FileJournalOptions.DEFAULTS)) {
            journal.replay(new Recorded());
            Appended.to(journal, "one").index();
            var failed = journal.snapshot(1, out -> {
                out.write(new byte[100_000]);
                throw new IOException("no state today (part of the test)");
            });
            assertThatThrownBy(() -> failed.get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasRootCauseMessage("no state today (part of the test)");
            assertThat(Appended.to(journal, "two").index()).isEqualTo(2);
            assertThatThrownBy(() -> journal.snapshot(3, out -> {})).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(Recorded.of(directory, FileJournalOptions.DEFAULTS).records).containsExactly("one", "two");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(file -> file.toString().contains("snapshot")))
                    .isEmpty();
        }
    }

    @Test
    void aSnapshotOfRecordsThatFailedMeanwhileFailsLikeThem() throws Exception {
        DelegatingFiles broken = new DelegatingFiles() {
            @Override
            void sync(OpenFile file, boolean metadata) throws IOException {
                if (!metadata) {
                    throw new IOException("the disk is broken (part of the test)");
                }
                file.sync(true);
            }
        };
        try (Journal journal = FileJournal.open(directory, SMALL, broken, new java.util.Random(1))) {
            journal.replay(new Recorded());
            assertThat(((TxnException) Appended.to(journal, "one").failure()).code())
                    .isEqualTo(ErrorCode.JOURNAL_FAILED);
            // Its owner had taken the record for 1 and has not heard of the failure yet.
            assertThat(journal.snapshot(1, out -> {})).isCompletedExceptionally();
        }
    }

    @Test
    void howLongAWriteTakesCanBeSeen() throws Exception {
        GatedFiles files = new GatedFiles();
        try (Journal journal = FileJournal.open(directory, SMALL, files, new java.util.Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            Appended one = Appended.to(journal, "one");
            files.awaitBlockedSync();
            long early = journal.statistics().writingNanos();
            assertThat(early).isPositive();
            assertThat(journal.statistics().writingNanos()).isGreaterThanOrEqualTo(early);
            files.openGate();
            assertThat(one.index()).isEqualTo(1);
            Await.until(
                    "the end of the write",
                    Duration.ofSeconds(10),
                    () -> journal.statistics().writingNanos() == 0);
        }
    }

    @Test
    void aSnapshotWaitsUntilItsLastRecordIsDurable() throws Exception {
        GatedFiles files = new GatedFiles();
        try (Journal journal = FileJournal.open(directory, SMALL, files, new java.util.Random(1))) {
            journal.replay(new Recorded());
            files.closeGate();
            Appended one = Appended.to(journal, "one");
            files.awaitBlockedSync();
            CountDownLatch asked = new CountDownLatch(1);
            var snapshot = journal.snapshot(1, out -> asked.countDown());
            assertThat(asked.await(100, TimeUnit.MILLISECONDS)).isFalse();
            files.openGate();
            snapshot.get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(one.isAnswered() || one.index() == 1).isTrue();
        }
    }

    @Test
    void anIdleJournalSealsItsLastBatch() throws Exception {
        FileJournalOptions options = FileJournalOptions.DEFAULTS.withSealAfter(Duration.ofMillis(1));
        Path copy = directory.resolve("copy");
        Path original = directory.resolve("original");
        try (Journal journal = FileJournal.open(original, options)) {
            journal.replay(new Recorded());
            Appended.to(journal, "one").index();
            io.txn.test.Await.until("the seal stands behind the record", Duration.ofSeconds(30), () -> {
                byte[] bytes = Files.readAllBytes(original.resolve(SegmentHeader.fileName(1)));
                return ByteBuffer.wrap(bytes).getInt(SegmentHeader.BYTES + 48 + 4) == Frames.SEAL;
            });
            Damage.copy(original, copy);
        }
        // Not closed, and the last batch is hit: without the seal this would pass for a torn write.
        Damage.flip(copy.resolve(SegmentHeader.fileName(1)), SegmentHeader.BYTES + 41, 0);
        assertThatThrownBy(() -> Recorded.of(copy, options))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_DAMAGED));
    }
}
