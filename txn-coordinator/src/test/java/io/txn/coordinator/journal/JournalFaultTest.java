package io.txn.coordinator.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The disk fails, fills up, or loses power at every single operation of a life with many segments, a snapshot and a restart. Whatever
 * happens, each caller is answered once, and the next process finds every acknowledged record, in order.
 */
class JournalFaultTest {

    private static final FileJournalOptions OPTIONS = FileJournalOptions.DEFAULTS
            .withMaxRecordBytes(1_500)
            .withMaxWaitingBytes(3_900)
            .withSegmentBytes(4_096)
            .withSealAfter(Duration.ofHours(1));
    private static final FileJournalOptions SEALING = OPTIONS.withSealAfter(Duration.ofNanos(1));
    private static final boolean FULL = Boolean.getBoolean("txn.test.full");

    @TempDir
    Path directory;

    /** What one process did until it ended or the disk gave up. */
    private static final class Life {

        final List<Appended> answers = new ArrayList<>();
        final List<String> texts = new ArrayList<>();

        List<String> acknowledged() {
            List<String> all = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                try {
                    answers.get(i).index();
                    all.add(texts.get(i));
                } catch (AssertionError e) {
                    if (!(answers.get(i).failure() instanceof TxnException)) {
                        throw e;
                    }
                }
            }
            return all;
        }
    }

    /** The state of this test's "machine" is the list of all texts, as the snapshot keeps it. */
    private static final class Texts implements Replay {

        final List<String> all = new ArrayList<>();

        @Override
        public void snapshot(long index, InputStream state) throws IOException {
            String text = new String(state.readAllBytes(), StandardCharsets.UTF_8);
            all.addAll(text.lines().toList());
            if (all.size() != index) {
                throw new AssertionError("a snapshot of " + index + " has " + all.size() + " records");
            }
        }

        @Override
        public void record(long index, ByteBuffer record) {
            if (all.size() + 1 != index) {
                throw new AssertionError("record " + index + " comes after " + all.size());
            }
            all.add(StandardCharsets.UTF_8.decode(record).toString());
        }

        SnapshotState firstAsState(int count) {
            byte[] bytes = String.join("\n", all.subList(0, count)).getBytes(StandardCharsets.UTF_8);
            return out -> new ByteArrayInputStream(bytes).transferTo(out);
        }
    }

    /** Opens, appends in bursts over several segments, snapshots, closes. Comes back also when the disk has given up. */
    private Life live(MemoryDisk disk, String name, int bursts, Random random) {
        return live(disk, OPTIONS, name, bursts, random);
    }

    private Life live(MemoryDisk disk, FileJournalOptions options, String name, int bursts, Random random) {
        Life life = new Life();
        try (Journal journal = FileJournal.open(directory, options, disk, new Random(1))) {
            Texts state = new Texts();
            journal.replay(state);
            for (int burst = 0; burst < bursts; burst++) {
                Appended last = null;
                int seals = disk.seals();
                for (int i = random.nextInt(3); i >= 0; i--) {
                    String text = name + "-" + life.texts.size() + "-" + "y".repeat(random.nextInt(1_200));
                    life.texts.add(text);
                    state.all.add(text);
                    // By turns written by the journal's thread and by this one.
                    last = burst % 2 == 0 ? Appended.to(journal, text) : Appended.staged(journal, text);
                    life.answers.add(last);
                }
                journal.flush();
                if (last == null || answered(last) != null) {
                    break;
                }
                if (burst == bursts / 2) {
                    awaitSnapshot(journal, state);
                }
                if (options.equals(SEALING) && burst % 3 != 2) {
                    awaitSeal(disk, seals, journal);
                }
            }
        } catch (TxnException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE);
        }
        assertThat(life.answers).allMatch(Appended::isAnswered);
        return life;
    }

    private static @org.jspecify.annotations.Nullable Throwable answered(Appended appended) {
        try {
            appended.index();
            return null;
        } catch (AssertionError e) {
            return appended.failure();
        }
    }

    private static void awaitSeal(MemoryDisk disk, int before, Journal journal) {
        io.txn.test.Await.until(
                "the journal seals",
                Duration.ofSeconds(30),
                () -> disk.seals() > before || journal.state() == JournalState.FAILED);
    }

    private static void awaitSnapshot(Journal journal, Texts state) {
        try {
            journal.snapshot(state.all.size(), state.firstAsState(state.all.size()))
                    .get(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            assertThat(e.getCause()).isInstanceOfAny(IOException.class, TxnException.class);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** The next process finds everything acknowledged; what was handed over and not acknowledged may be there too, but in order. */
    private void assertNothingLost(MemoryDisk disk, List<String> before, Life life) {
        Texts found = new Texts();
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(2))) {
            journal.replay(found);
            assertThat(Appended.to(journal, "the next process").index()).isEqualTo(found.all.size() + 1);
        }
        List<String> acknowledged = new ArrayList<>(before);
        acknowledged.addAll(life.acknowledged());
        assertBegins(found.all, acknowledged);
        List<String> handedOver = new ArrayList<>(before);
        handedOver.addAll(life.texts);
        assertBegins(handedOver, found.all);
        Texts again = new Texts();
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(2))) {
            journal.replay(again);
        }
        found.all.add("the next process");
        assertThat(again.all).isEqualTo(found.all);
    }

    @Test
    void nothingAcknowledgedIsLostWhenTheDiskFailsAtAnyOperation() {
        int operations = operationsOfAWholeLife();
        for (MemoryDisk.Fault fault : List.of(MemoryDisk.Fault.ONCE, MemoryDisk.Fault.FOR_GOOD)) {
            for (int at = 0; at < operations; at++) {
                MemoryDisk disk = new MemoryDisk().failing(at, fault);
                Life life = live(disk, "a", 12, new Random(5));
                assertNothingLost(disk.mended(), List.of(), life);
            }
        }
    }

    @Test
    void nothingAcknowledgedIsLostWhenThePowerGoesAtAnyOperation() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalFaultTest: power loss with -Dtxn.test.seed=" + seed);
        int operations = operationsOfAWholeLife();
        Random random = new Random(seed);
        for (int round = 0; round < (FULL ? 60 : 3); round++) {
            for (int at = 0; at < operations; at++) {
                MemoryDisk first = new MemoryDisk().failing(at, MemoryDisk.Fault.END);
                Life life = live(first, "a", 12, new Random(5));
                MemoryDisk second = first.afterPowerLoss(random);
                assertNothingLost(second, List.of(), life);
            }
        }
    }

    /** With a seal before most frames: one more frame that may be there, or not, or in part, and that the next one is chained to. */
    @Test
    void everySubsetOfWhatWasNotSyncedCanGoWithThePower() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalFaultTest: power loss with seals with -Dtxn.test.seed=" + seed);
        Random random = new Random(seed);
        MemoryDisk healthy = new MemoryDisk();
        assertThat(live(healthy, SEALING, "a", 12, new Random(5)).acknowledged())
                .hasSizeGreaterThan(12);
        assertThat(healthy.seals()).isGreaterThan(6);
        for (int at = 0; at < healthy.operations(); at++) {
            MemoryDisk first = new MemoryDisk().failing(at, MemoryDisk.Fault.END);
            Life life = live(first, SEALING, "a", 12, new Random(5));
            first.everyPowerLoss(FULL ? 2_000 : 40, random, second -> assertNothingLost(second, List.of(), life));
        }
    }

    /** A failed sync calls the pages clean: what the next process reads may never reach the disk unless it is written again. */
    @Test
    void whatASealIsChainedToSurvivesAFailedSyncAndAPowerLossLaterOn() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalFaultTest: power loss after a failed sync with -Dtxn.test.seed=" + seed);
        Random random = new Random(seed);
        MemoryDisk healthy = new MemoryDisk();
        live(healthy, SEALING, "a", 12, new Random(5));
        for (int at = 0; at < healthy.operations(); at++) {
            MemoryDisk disk = new MemoryDisk().failing(at, MemoryDisk.Fault.ONCE);
            Life life = live(disk, SEALING, "a", 12, new Random(5));
            Texts seen = new Texts();
            MemoryDisk after;
            try (Journal journal = FileJournal.open(directory, SEALING, disk.mended(), new Random(3))) {
                journal.replay(seen);
                Appended.to(journal, "goes on").index();
                seen.all.add("goes on");
                after = disk.afterPowerLoss(random);
            }
            assertBegins(seen.all, life.acknowledged());
            assertNothingLost(after, seen.all, new Life());
        }
    }

    @Test
    void nothingAcknowledgedIsLostWhenThePowerGoesAgainDuringTheRecovery() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalFaultTest: power loss in recovery with -Dtxn.test.seed=" + seed);
        Random random = new Random(seed);
        int operations = operationsOfAWholeLife();
        for (int round = 0; round < (FULL ? 2_000 : 150); round++) {
            MemoryDisk first = new MemoryDisk().failing(random.nextInt(operations), MemoryDisk.Fault.END);
            Life life = live(first, "a", 12, new Random(5));
            // What a process has seen in its replay it may act on; so whatever the second one saw, the third must see.
            MemoryDisk second = first.afterPowerLoss(random).failing(random.nextInt(40), MemoryDisk.Fault.END);
            Texts seen = new Texts();
            boolean served = false;
            try (Journal journal = FileJournal.open(directory, OPTIONS, second, new Random(3))) {
                journal.replay(seen);
                served = true;
            } catch (TxnException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE);
            }
            MemoryDisk third = second.afterPowerLoss(random);
            Texts found = new Texts();
            try (Journal journal = FileJournal.open(directory, OPTIONS, third, new Random(3))) {
                journal.replay(found);
            }
            assertBegins(found.all, life.acknowledged());
            if (served) {
                assertThat(found.all).isEqualTo(seen.all);
            }
        }
    }

    @Test
    void whatAReplayShowedSurvivesAPowerLossThatFollows() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("JournalFaultTest: power loss after recovery with -Dtxn.test.seed=" + seed);
        Random random = new Random(seed);
        int operations = operationsOfAWholeLife();
        for (MemoryDisk.Fault fault : MemoryDisk.Fault.values()) {
            for (int at = 0; at < operations; at++) {
                // The process ends, the machine does not: the next one reads what was never synced.
                MemoryDisk disk = new MemoryDisk().failing(at, fault);
                Life life = live(disk, "a", 12, new Random(5));
                Texts seen = new Texts();
                MemoryDisk after;
                try (Journal journal = FileJournal.open(directory, OPTIONS, disk.mended(), new Random(3))) {
                    journal.replay(seen);
                    after = disk.afterPowerLoss(random);
                }
                Texts found = new Texts();
                try (Journal journal = FileJournal.open(directory, OPTIONS, after, new Random(3))) {
                    journal.replay(found);
                }
                assertBegins(seen.all, life.acknowledged());
                assertThat(found.all).isEqualTo(seen.all);
            }
        }
    }

    private static void assertBegins(List<String> whole, List<String> beginning) {
        assertThat(whole).hasSizeGreaterThanOrEqualTo(beginning.size());
        assertThat(whole.subList(0, beginning.size())).isEqualTo(beginning);
    }

    private int operationsOfAWholeLife() {
        MemoryDisk healthy = new MemoryDisk();
        Life life = live(healthy, "a", 12, new Random(5));
        assertThat(life.acknowledged()).isEqualTo(life.texts).hasSizeGreaterThan(12);
        assertNothingLost(healthy, List.of(), life);
        // The room is made by another thread, so the number differs a little from run to run; a fault behind the end is
        // a run without one.
        return healthy.operations();
    }

    @Test
    void aCallerWhoseSyncFailsTellsEverybodyAndTheJournalTakesNothingMore() {
        SyncFailsOnce disk = new SyncFailsOnce();
        int syncs;
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(1))) {
            journal.replay(new Texts());
            disk.failNext = true;
            Appended hit = Appended.staged(journal, "hit");
            Appended besides = Appended.staged(journal, "besides");
            journal.flush();
            assertThat(((TxnException) hit.failure()).code()).isEqualTo(ErrorCode.JOURNAL_FAILED);
            assertThat(hit.thread()).isEqualTo(Thread.currentThread().getName());
            assertThat(besides.failure()).isSameAs(hit.failure());
            assertThat(journal.state()).isEqualTo(JournalState.FAILED);
            assertThat(((TxnException) Appended.staged(journal, "after").failure()).code())
                    .isEqualTo(ErrorCode.JOURNAL_FAILED);
            syncs = disk.recordSyncs;
            journal.flush();
        }
        assertThat(disk.recordSyncs).isEqualTo(syncs);
    }

    @Test
    void aFailedSyncIsFinalForEveryCallerAndIsNotRepeated() {
        SyncFailsOnce disk = new SyncFailsOnce();
        int syncs;
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(1))) {
            journal.replay(new Recorded());
            assertThat(Appended.to(journal, "before").index()).isEqualTo(1);
            disk.failNext = true;
            Appended hit = Appended.to(journal, "hit");
            Throwable failure = hit.failure();
            assertThat(((TxnException) failure).code()).isEqualTo(ErrorCode.JOURNAL_FAILED);
            assertThat(failure).hasRootCauseMessage("Input/output error (part of the test)");
            syncs = disk.recordSyncs;
            assertThat(((TxnException) Appended.to(journal, "after").failure()).code())
                    .isEqualTo(ErrorCode.JOURNAL_FAILED);
            assertThat(journal.state()).isEqualTo(JournalState.FAILED);
            assertThat(journal.accepts(0)).isFalse();
            assertThat(journal.statistics().lastIndex()).isEqualTo(1);
            assertThatThrownBy(() -> journal.snapshot(1, out -> {}).get()).hasCauseInstanceOf(TxnException.class);
        }
        assertThat(disk.recordSyncs).isEqualTo(syncs);
    }

    /** Fails one sync of records and would claim success ever after. */
    private static final class SyncFailsOnce extends DelegatingFiles {

        volatile boolean failNext;
        volatile int recordSyncs;

        @Override
        void sync(OpenFile file, boolean metadata) throws IOException {
            if (!metadata) {
                recordSyncs++;
                if (failNext) {
                    failNext = false;
                    throw new IOException("Input/output error (part of the test)");
                }
            }
            file.sync(metadata);
        }
    }

    @Test
    void aFullDiskLetsRunningWorkUseTheReserveThenFailsAndRecoversWhenSpaceIsFreed() {
        FullDisk disk = new FullDisk();
        List<String> acknowledged = new ArrayList<>();
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(1))) {
            journal.replay(new Recorded());
            // The first segment is synced when made and again with its header; then come the two ahead.
            io.txn.test.Await.until(
                    "two segments are made ahead", Duration.ofSeconds(30), () -> disk.synced.get() == 4);
            assertThat(journal.state()).isEqualTo(JournalState.SERVING);
            disk.full = true;
            String kilobyte = "k".repeat(1_000);
            while (journal.state() == JournalState.SERVING) {
                append(journal, acknowledged, kilobyte);
                assertThat(acknowledged).hasSizeLessThan(100);
            }
            assertThat(journal.state()).isEqualTo(JournalState.LOW_ON_SPACE);
            for (int i = 0; i < 3; i++) { // at least the reserve, 4 KiB, is still there
                append(journal, acknowledged, kilobyte);
            }
            disk.full = false;
            io.txn.test.Await.until(
                    "room is made again", Duration.ofSeconds(30), () -> journal.state() == JournalState.SERVING);
            append(journal, acknowledged, "mended");
            disk.full = true;
            Throwable failure = null;
            for (int i = 0; failure == null && i < 100; i++) {
                Appended appended = Appended.to(journal, kilobyte);
                failure = answered(appended);
                if (failure == null) {
                    acknowledged.add(kilobyte);
                }
            }
            assertThat(failure).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.JOURNAL_FAILED));
            assertThat(failure).hasRootCauseMessage("No space left on device (part of the test)");
        }
        disk.full = false;
        Recorded found = new Recorded();
        try (Journal journal = FileJournal.open(directory, OPTIONS, disk, new Random(1))) {
            journal.replay(found);
            assertThat(Appended.to(journal, "goes on").index()).isEqualTo(acknowledged.size() + 1);
        }
        assertThat(found.records).isEqualTo(acknowledged);
    }

    private static void append(Journal journal, List<String> acknowledged, String text) {
        Appended.to(journal, text).index();
        acknowledged.add(text);
    }

    /** No new file gets any room while it is full; files that have theirs can be written. */
    private static final class FullDisk extends DelegatingFiles {

        volatile boolean full;
        final AtomicInteger synced = new AtomicInteger();

        @Override
        public OpenFile open(Path file, boolean create) throws IOException {
            OpenFile opened = super.open(file, create);
            return create && full ? new NoRoom(opened) : opened;
        }

        @Override
        void sync(OpenFile file, boolean metadata) throws IOException {
            file.sync(metadata);
            if (metadata) {
                synced.incrementAndGet();
            }
        }

        private record NoRoom(OpenFile file) implements OpenFile {

            @Override
            public long size() throws IOException {
                return file.size();
            }

            @Override
            public void write(ByteBuffer bytes, long position) throws IOException {
                throw new IOException("No space left on device (part of the test)");
            }

            @Override
            public void read(ByteBuffer into, long position) throws IOException {
                file.read(into, position);
            }

            @Override
            public void sync(boolean metadata) throws IOException {
                file.sync(metadata);
            }

            @Override
            public void close() throws IOException {
                file.close();
            }
        }
    }
}
