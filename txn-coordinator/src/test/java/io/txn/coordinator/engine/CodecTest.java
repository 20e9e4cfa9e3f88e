package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Dirt;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.PlanText;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Records and snapshots: whatever is written is read back, the bytes stay as they are, damage and newer versions are refused. */
class CodecTest {

    private static final EntrySequence.Place PLACE = new EntrySequence.Place(77_777_777, 300_000, true);
    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 4711);

    private static final List<Event> EVENTS_OF_VERSION_1 = List.of(
            new Event.EpochStarted(5, 1),
            new Event.Begun(300, "c:1", "buy", SHOP, 60_000),
            new Event.BranchRegistered(
                    300, 301, BranchType.AT, "db", SHOP, LockKeys.parse("t:1", 9), "{\"autoCommit\":false}"),
            new Event.BranchReported(300, 301, null),
            new Event.PhaseOneFailed(300, 301, "x"),
            new Event.CommitDecided(300, null),
            new Event.RollbackDecided(300, true, "late"),
            new Event.BranchFinished(300, 301),
            new Event.AttemptFailed(300, 301, 2, 1_000, "no"),
            new Event.BranchStuck(300, 301, 3, "never"),
            new Event.BranchGivenUp(300, 301, "ok"),
            new Event.RetriesReset(300),
            new Event.AttentionNeeded(300, "why"),
            new Event.Resumed(300),
            new Event.Ended(300),
            new Event.BranchDue(300, 301));

    private static final String BYTES_OF_VERSION_1 =
            "01050102ac0204633a31046275790573686f700931302e302e302e31e724e0d403"
                    + "03ac02ad02000364620573686f700931302e302e302e31e72404743a31157b226175746f436f6d6d6974223a66616c73657d"
                    + "04ac02ad020005ac02ad02027806ac0207ac0201056c61746508ac02ad0209ac02ad0202e807036e6f"
                    + "0aac02ad0203066e657665720bac02ad02036f6b0cac020dac02047768790eac020fac0210ac02ad02";

    private final SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 11));

    private static byte[] encoded(long time, List<Event> events) {
        Out out = new Out();
        EventCodec.encode(PLACE, time, events, out);
        return Arrays.copyOf(out.array(), out.size());
    }

    private static EventCodec.Entry decoded(byte[] record) {
        return EventCodec.decode(ByteBuffer.wrap(record), new Interner());
    }

    @Test
    void everyEventIsReadBackAsItWas() {
        Set<Class<?>> seen = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            List<Event> events = new ArrayList<>();
            for (int n = random.nextInt(4); n >= 0; n--) {
                Event event = anyEvent();
                seen.add(event.getClass());
                events.add(event);
            }
            long time = Math.abs(random.nextLong());
            assertThat(decoded(encoded(time, events))).isEqualTo(new EventCodec.Entry(PLACE, time, events));
        }
        assertThat(seen).isEqualTo(leaves(Event.class));
    }

    private static Set<Class<?>> leaves(Class<?> sealed) {
        Set<Class<?>> leaves = new HashSet<>();
        if (!sealed.isSealed()) {
            leaves.add(sealed);
            return leaves;
        }
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            leaves.addAll(leaves(permitted));
        }
        return leaves;
    }

    /** A change of these bytes is a new version of the format. */
    @Test
    void theBytesStayAsTheyAre() {
        List<Event> events = new ArrayList<>(EVENTS_OF_VERSION_1);
        events.add(new Event.SagaHandedBack(300, Outcome.COMMIT, true, "go"));
        events.add(new Event.CommitDecided(300, "by hand"));
        assertThat(HexFormat.of().formatHex(encoded(1_000, events)))
                .isEqualTo("0201" + "f1968b25" + "e0a712" + "e807" + "12" + BYTES_OF_VERSION_1 + "11ac02010103676f"
                        + "14ac0208" + "62792068616e64");
    }

    @Test
    void entriesAboutSagasAreOfVersion5() {
        List<Event> events = List.of(
                new Event.StepStarted(300, 301, 1),
                new Event.StepSettled(300, 2, false),
                new Event.StepDone(300, 301, "zq"),
                new Event.StepOngoing(300, 301, 300),
                new Event.StepFailed(300, 301, true, "c"),
                new Event.Chosen(300, 301, 2),
                new Event.SagaResumed(300));
        assertThat(HexFormat.of().formatHex(encoded(1_000, events)))
                .isEqualTo("0501" + "f1968b25" + "e0a712" + "e807" + "07" + "1cac02ad0201" + "1dac020200"
                        + "1eac02ad02037a71" + "1fac02ad02ac02" + "20ac02ad02010263" + "21ac02ad0202" + "22ac02");
        assertThat(encoded(1_000, List.of(new Event.SagaPlanned(300, PLAN, "{}")))[0])
                .isEqualTo((byte) 5);
    }

    @Test
    void entriesAboutBranchesWithAPolicyAreOfVersion6() {
        List<Event> events = List.of(
                new Event.BranchRegistered(
                        300, 301, BranchType.TCC, "db", SHOP, null, null, 7, new BranchPolicy(5, 6, 300, 2)),
                new Event.StepStarted(300, 301, 1));
        assertThat(HexFormat.of().formatHex(encoded(1_000, events)))
                .isEqualTo("0601" + "f1968b25" + "e0a712" + "e807" + "02" + "23ac02ad02" + "01" + "036462"
                        + "0573686f700931302e302e302e31e724" + "00" + "00" + "07" + "0506ac0202" + "1cac02ad0201");
    }

    @Test
    void entriesAboutRowsInTheWayAreOfVersion3() {
        List<Event> events = List.of(
                new Event.DirtReported(300, 301, new RowData("zq")),
                new Event.DirtDecided(300, 301, new RowData("c"), "me"));
        assertThat(HexFormat.of().formatHex(encoded(1_000, events)))
                .isEqualTo(
                        "0301" + "f1968b25" + "e0a712" + "e807" + "02" + "16ac02ad02037a71" + "17ac02ad020263036d65");
        assertThat(events.toString()).doesNotContain("zq");
        assertThat(HexFormat.of().formatHex(encoded(1_000, List.of(new Event.RollbackOnlyMarked(300, "me")))))
                .isEqualTo("0301" + "f1968b25" + "e0a712" + "e807" + "01" + "18ac02036d65");
    }

    @Test
    void entriesAboutRequestKeysAreOfVersion4() {
        List<Event> events = List.of(
                new Event.KeyClaimed(300, "k"),
                new Event.KeyAnswered(300, new RequestKey.Answer(false, "zq")),
                new Event.KeyAnswered(300, new RequestKey.Answer(true, "no")));
        assertThat(HexFormat.of().formatHex(encoded(1_000, events)))
                .isEqualTo("0401" + "f1968b25" + "e0a712" + "e807" + "03" + "19ac02026b" + "1aac0200037a71"
                        + "1aac0201036e6f");
        assertThat(events.toString()).doesNotContain("zq");
    }

    /** A change of these bytes is a new version of the format. */
    @Test
    void aSnapshotWithRequestKeysIsOfVersion4() throws IOException {
        Shard shard = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        shard.restore(new RequestKeys.Entry(
                new RequestKeys.Key("shop", "buy", "k"),
                300,
                "c:1",
                Outcome.COMMIT,
                new RequestKey.Answer(false, "7"),
                9));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotCodec.write(new EntrySequence.State(1, 2, List.of()), 77, shard.capture(), bytes);
        assertThat(HexFormat.of().formatHex(bytes.toByteArray()))
                .isEqualTo("040102004d000001" + "17" + "0573686f70" + "04627579" + "026b" + "ac02" + "04633a31" + "01"
                        + "09" + "01" + "00" + "0237");
    }

    @Test
    void aSnapshotOfVersion2HasNoRowsInTheWay() throws IOException {
        Shard shard = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        Branch branch = new Branch(301, BranchType.AT, "db", SHOP, null, null, BranchState.STUCK, 2, 9, "no", 7);
        shard.restore(new GlobalTransaction(
                300,
                "c:1",
                "buy",
                SHOP,
                5,
                6,
                TransactionState.NEEDS_ATTENTION,
                Outcome.ROLLBACK,
                true,
                "late",
                7,
                0,
                0,
                List.of(branch)));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotCodec.write(new EntrySequence.State(1, 2, List.of()), 77, shard.capture(), bytes);
        byte[] older = bytes.toByteArray();
        assertThat(HexFormat.of().formatHex(older))
                .isEqualTo(
                        "020102004d000147ac0204633a31046275790573686f700931302e302e302e31e7240506050201056c617465070000"
                                + "01ad02000364620573686f700931302e302e302e31e7240000030209036e6f07");
        Shard restored = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        SnapshotCodec.read(new ByteArrayInputStream(older), restored, new EntrySequence(), new Interner());
        assertThat(restored.capture().transactions()).isEqualTo(shard.capture().transactions());
    }

    @Test
    void entriesOfVersion1AreReadAsTheyWereMeant() {
        assertThat(decoded(HexFormat.of().parseHex("01" + "e807" + "10" + BYTES_OF_VERSION_1)))
                .isEqualTo(new EventCodec.Entry(null, 1_000, EVENTS_OF_VERSION_1));
    }

    @Test
    void aNewerVersionIsRefused() {
        byte[] record = encoded(1, List.of(new Event.Ended(1)));
        record[0] = EventCodec.VERSION + 1;
        assertThatThrownBy(() -> decoded(record)).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.JOURNAL_TOO_NEW));
    }

    @Test
    void anUnknownEventOrACutRecordIsDamage() {
        byte[] record = encoded(1, List.of(new Event.BranchGivenUp(1, 2, "reason")));
        for (int length = 0; length < record.length; length++) {
            byte[] cut = Arrays.copyOf(record, length);
            assertThat(catchThrowable(() -> decoded(cut))).isInstanceOf(TxnException.class);
        }
        assertThatThrownBy(() -> decoded(Arrays.copyOf(record, record.length + 1)))
                .isInstanceOf(TxnException.class);
        record[record.length - 11] = 99;
        assertThatThrownBy(() -> decoded(record)).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.JOURNAL_DAMAGED));
    }

    @Test
    void mutatedRecordsAreReadOrRefusedAndNothingElse() {
        for (int i = 0; i < 50_000; i++) {
            byte[] record = encoded(1, List.of(anyEvent(), anyEvent()));
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                record[random.nextInt(record.length)] = (byte) random.nextInt(256);
            }
            Throwable thrown = catchThrowable(() -> decoded(record));
            assertThat(thrown == null || thrown instanceof TxnException)
                    .as("%s for %s", thrown, HexFormat.of().formatHex(record))
                    .isTrue();
        }
    }

    @Test
    void aSnapshotIsReadBackAsItWas() throws IOException {
        for (int round = 0; round < 50; round++) {
            Shard shard = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
            shard.restoreLastId(1_000_000);
            for (int i = 1; i <= round * 5; i++) {
                shard.restore(anyTransaction(i * 100));
                if (round % 2 == 1) {
                    shard.restore(anyKey(i * 100));
                }
            }
            EntrySequence.State place = new EntrySequence.State(id(), id(), List.of(id(), 4711L));
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            SnapshotCodec.write(place, 77, shard.capture(), bytes);
            Shard restored = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
            EntrySequence entries = new EntrySequence();
            long time = SnapshotCodec.read(
                    new ByteArrayInputStream(bytes.toByteArray()), restored, entries, new Interner());
            assertThat(entries.state()).isEqualTo(place);
            assertThat(time).isEqualTo(77);
            assertThat(restored.capture().transactions())
                    .isEqualTo(shard.capture().transactions());
            assertThat(restored.capture().keys())
                    .containsExactlyInAnyOrderElementsOf(shard.capture().keys());
            assertThat(restored.keys().bytes()).isEqualTo(shard.keys().bytes());
            assertThat(restored.locks()).isEqualTo(shard.locks());
            assertThat(restored.unfinished()).isEqualTo(shard.unfinished());
            cutSnapshotsAreDamage(bytes.toByteArray());
        }
    }

    private void cutSnapshotsAreDamage(byte[] snapshot) {
        byte[] cut = Arrays.copyOf(snapshot, random.nextInt(snapshot.length));
        Shard shard = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        Throwable thrown = catchThrowable(
                () -> SnapshotCodec.read(new ByteArrayInputStream(cut), shard, new EntrySequence(), new Interner()));
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.JOURNAL_DAMAGED));
    }

    @Test
    void aSnapshotOfVersion1HasNoPlaceForTheNextEntry() throws IOException {
        Shard shard = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        shard.restoreLastId(1_000_000);
        Branch branch = new Branch(301, BranchType.AT, "db", SHOP, "t:1", null, BranchState.REGISTERED, 2, 9, "no", 0);
        shard.restore(new GlobalTransaction(
                300,
                "c:1",
                "buy",
                SHOP,
                5,
                6,
                TransactionState.ROLLING_BACK,
                Outcome.ROLLBACK,
                true,
                "late",
                7,
                0,
                0,
                List.of(branch)));
        // What version 1 wrote.
        byte[] older = HexFormat.of()
                .parseHex("014d" + "c0843d" + "01" + "48" + "ac02" + "04633a31" + "04627579"
                        + "0573686f700931302e302e302e31e724" + "0506" + "0302" + "01" + "056c617465" + "0700"
                        + "01" + "ad02" + "00" + "036462" + "0573686f700931302e302e302e31e724" + "04743a31" + "00"
                        + "00" + "02" + "09" + "036e6f");
        Shard restored = new Shard(new Rules(1_000, 100, 0, 1, 1, 1));
        EntrySequence entries = new EntrySequence();
        entries.startAfter(41);
        assertThat(SnapshotCodec.read(new ByteArrayInputStream(older), restored, entries, new Interner()))
                .isEqualTo(77);
        assertThat(restored.capture()).isEqualTo(shard.capture());
        assertThat(entries.state()).isEqualTo(new EntrySequence.State(0, 42, List.of()));
    }

    @Test
    void aNewerSnapshotIsRefused() {
        byte[] snapshot = {SnapshotCodec.VERSION + 1};
        Shard shard = new Shard(new Rules(1, 1, 0, 1, 1, 1));
        assertThatThrownBy(() -> SnapshotCodec.read(
                        new ByteArrayInputStream(snapshot), shard, new EntrySequence(), new Interner()))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_TOO_NEW));
    }

    private static final PlanText PLAN =
            PlanText.of(new SagaPlan("d", 1, List.of(Step.calling("a", new Work.Bean("saga/a"), null)), "a").encoded());

    private Event anyEvent() {
        long transaction = id();
        long branch = id();
        return switch (random.nextInt(31)) {
            case 0 -> new Event.EpochStarted(random.nextInt(1 << 26), random.nextInt(32));
            case 1 ->
                new Event.Begun(transaction, text(), text(), client(), random.nextInt(Integer.MAX_VALUE), requestId());
            case 2 ->
                new Event.BranchRegistered(
                        transaction,
                        branch,
                        type(),
                        text(),
                        client(),
                        random.nextBoolean() ? locks() : null,
                        data(),
                        requestId(),
                        policy());
            case 3 -> new Event.BranchReported(transaction, branch, data());
            case 4 -> new Event.PhaseOneFailed(transaction, branch, data());
            case 5 -> new Event.CommitDecided(transaction, data());
            case 6 -> new Event.RollbackDecided(transaction, random.nextBoolean(), data());
            case 7 -> new Event.BranchFinished(transaction, branch);
            case 8 -> new Event.AttemptFailed(transaction, branch, random.nextInt(1 << 30), id(), text());
            case 9 -> new Event.BranchStuck(transaction, branch, random.nextInt(1 << 30), text());
            case 10 -> new Event.BranchGivenUp(transaction, branch, text());
            case 11 -> new Event.RetriesReset(transaction);
            case 12 -> new Event.AttentionNeeded(transaction, text());
            case 13 -> new Event.Resumed(transaction);
            case 14 -> new Event.Ended(transaction);
            case 15 ->
                new Event.SagaHandedBack(
                        transaction,
                        random.nextBoolean() ? Outcome.COMMIT : Outcome.ROLLBACK,
                        random.nextBoolean(),
                        data());
            case 16 -> new Event.IdsLeased(1 + random.nextInt(10_000));
            case 18 -> new Event.DirtReported(transaction, branch, new RowData(text()));
            case 17 -> new Event.DirtDecided(transaction, branch, new RowData(text()), text());
            case 19 -> new Event.RollbackOnlyMarked(transaction, text());
            case 20 -> new Event.KeyClaimed(transaction, text());
            case 21 -> new Event.KeyAnswered(transaction, answer());
            case 22 -> new Event.SagaPlanned(transaction, PLAN, text());
            case 23 -> new Event.StepStarted(transaction, branch, random.nextInt(100));
            case 24 -> new Event.StepSettled(transaction, random.nextInt(100), random.nextBoolean());
            case 25 -> new Event.StepDone(transaction, branch, data());
            case 26 -> new Event.StepOngoing(transaction, branch, id());
            case 27 -> new Event.StepFailed(transaction, branch, random.nextBoolean(), text());
            case 28 -> new Event.Chosen(transaction, branch, random.nextInt(100));
            case 29 -> new Event.SagaResumed(transaction);
            default -> new Event.BranchDue(transaction, branch);
        };
    }

    private RequestKey.Answer answer() {
        return new RequestKey.Answer(random.nextBoolean(), text());
    }

    private RequestKeys.Entry anyKey(long transaction) {
        Outcome outcome = Outcome.values()[random.nextInt(3)];
        return new RequestKeys.Entry(
                new RequestKeys.Key(text(), text(), text() + transaction),
                transaction,
                text(),
                outcome,
                random.nextBoolean() ? answer() : null,
                outcome == Outcome.OPEN ? 0 : transaction);
    }

    private GlobalTransaction anyTransaction(long number) {
        List<Branch> branches = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            branches.add(new Branch(
                    number + i,
                    type(),
                    text(),
                    client(),
                    random.nextBoolean() ? "t:" + number + "_" + i : null,
                    data(),
                    BranchState.values()[random.nextInt(BranchState.values().length)],
                    random.nextInt(100),
                    id(),
                    data(),
                    requestId(),
                    random.nextInt(3) > 0 ? null : new Dirt(rows(), rows(), data()),
                    number % 200 == 0 ? policy() : null));
        }
        TransactionState[] states = TransactionState.values();
        Outcome[] outcomes = Outcome.values();
        return new GlobalTransaction(
                number,
                text(),
                text(),
                client(),
                id(),
                id(),
                states[random.nextInt(states.length)],
                outcomes[random.nextInt(outcomes.length)],
                random.nextBoolean(),
                data(),
                id(),
                id(),
                requestId(),
                branches);
    }

    private BranchPolicy policy() {
        return random.nextBoolean()
                ? null
                : new BranchPolicy(random.nextInt(1_000), random.nextInt(9), 9, random.nextInt(1_000));
    }

    private RowData rows() {
        String text = data();
        return text == null ? null : new RowData(text);
    }

    private long requestId() {
        return random.nextBoolean() ? 0 : random.nextLong();
    }

    private long id() {
        return random.nextLong(Long.MAX_VALUE) >>> random.nextInt(63);
    }

    private BranchType type() {
        return BranchType.values()[random.nextInt(BranchType.values().length)];
    }

    private ClientId client() {
        return new ClientId(text(), text(), random.nextInt(65_536));
    }

    private LockKeys locks() {
        Set<Integer> rows = new TreeSet<>();
        for (int i = random.nextInt(5); i >= 0; i--) {
            rows.add(random.nextInt(1_000));
        }
        return LockKeys.parse("täble:" + rows.toString().replaceAll("[\\[\\] ]", ""), 100);
    }

    private String data() {
        return random.nextInt(4) == 0 ? null : text();
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(random.nextInt(10) == 0 ? 300 : 12); i > 0; i--) {
            text.appendCodePoint(random.nextInt(20) == 0 ? 0x1F600 + random.nextInt(50) : 32 + random.nextInt(600));
        }
        return text.toString();
    }
}
