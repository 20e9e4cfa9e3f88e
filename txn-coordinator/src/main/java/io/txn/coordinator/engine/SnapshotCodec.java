package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.Dirt;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.PlanText;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.SagaState;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RowData;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots: {@code version, writer, number of the next entry, count, count × earlier writer, journal time, last id, count, count × (length,
 * transaction)}, from version 4 on {@code count, count × (length, request key)}, from version 5 on transactions may be sagas, from version 6 on branches have policies. Locks are not written: they follow from the branches. Version 1 began with the
 * journal time.
 */
final class SnapshotCodec {

    /** From version 2 on transactions and branches carry request ids, from version 3 on branches the rows in the way of their undo. */
    static final int VERSION = 6;

    /** What a snapshot is written as that has nothing newer in it, so that the version before can still be gone back to. */
    private static final int PLAIN_VERSION = 2;

    private static final int MOST_PAST_WRITERS = 10_000;

    private static final BranchType[] BRANCH_TYPES = BranchType.values();
    private static final BranchState[] BRANCH_STATES = BranchState.values();
    private static final TransactionState[] STATES = TransactionState.values();
    private static final SagaState.Settled[] SETTLED = SagaState.Settled.values();
    private static final SagaState.Progress[] PROGRESS = SagaState.Progress.values();
    private static final Outcome[] OUTCOMES = Outcome.values();

    private SnapshotCodec() {}

    static void write(EntrySequence.State entries, long time, Shard.Capture capture, OutputStream stream)
            throws IOException {
        Out out = new Out();
        int version = version(capture);
        out.u1(version);
        out.varint(entries.writer());
        out.varint(entries.next());
        out.varint(entries.past().size());
        entries.past().forEach(out::varint);
        out.varint(time);
        out.varint(capture.lastId());
        out.varint(capture.transactions().size());
        stream.write(out.array(), 0, out.size());
        Out length = new Out();
        for (GlobalTransaction transaction : capture.transactions()) {
            out.reset();
            encode(transaction, version, out);
            length.reset();
            length.varint(out.size());
            stream.write(length.array(), 0, length.size());
            stream.write(out.array(), 0, out.size());
        }
        if (version >= 4) {
            writeKeys(capture.keys(), stream);
        }
    }

    /** The lowest that has everything in it. */
    private static int version(Shard.Capture capture) {
        if (capture.transactions().stream().anyMatch(SnapshotCodec::hasPolicy)) {
            return VERSION;
        } else if (capture.transactions().stream().anyMatch(transaction -> transaction.saga() != null)) {
            return 5;
        } else if (!capture.keys().isEmpty()) {
            return 4;
        }
        return capture.transactions().stream().anyMatch(SnapshotCodec::hasDirt) ? 3 : PLAIN_VERSION;
    }

    private static void writeKeys(List<RequestKeys.Entry> keys, OutputStream stream) throws IOException {
        Out out = new Out();
        out.varint(keys.size());
        stream.write(out.array(), 0, out.size());
        Out length = new Out();
        for (RequestKeys.Entry entry : keys) {
            out.reset();
            out.string(entry.key().application());
            out.string(entry.key().name());
            out.string(entry.key().text());
            out.varint(entry.transaction());
            out.string(entry.address());
            out.u1(entry.outcome().ordinal());
            out.varint(entry.decidedAt());
            out.u1(entry.answer() == null ? 0 : 1);
            if (entry.answer() != null) {
                EventCodec.answer(entry.answer(), out);
            }
            length.reset();
            length.varint(out.size());
            stream.write(length.array(), 0, length.size());
            stream.write(out.array(), 0, out.size());
        }
    }

    private static RequestKeys.Entry key(In in) {
        RequestKeys.Key key = new RequestKeys.Key(in.sharedText(), in.sharedText(), in.text());
        long transaction = in.varint();
        String address = in.sharedText();
        Outcome outcome = in.constant(OUTCOMES);
        long decidedAt = in.varint();
        RequestKeys.Entry entry = new RequestKeys.Entry(
                key, transaction, address, outcome, in.u1() == 0 ? null : EventCodec.answer(in), decidedAt);
        if (in.remaining() > 0) {
            throw new IllegalArgumentException(in.remaining() + " bytes too many in a request key");
        }
        return entry;
    }

    /**
     * Restores the state into {@code shard} and the place of the next entry into {@code entries} (not from version 1), and returns the journal time of
     * the snapshot.
     */
    static long read(InputStream stream, Shard shard, EntrySequence entries, Interner interner) throws IOException {
        try {
            int version = stream.read();
            if (version > VERSION) {
                throw new TxnException(
                        ErrorCode.JOURNAL_TOO_NEW, null, "snapshotVersion", version, "readable", VERSION);
            }
            if (version < 1) {
                throw new IllegalArgumentException("no version " + version);
            }
            if (version > 1) {
                entries.restore(entries(stream));
            }
            long time = varint(stream);
            shard.restoreLastId(varint(stream));
            parts(stream, interner, "transaction", in -> shard.restore(decode(in, version)));
            if (version >= 4) {
                parts(stream, interner, "request key", in -> shard.restore(key(in)));
            }
            if (stream.read() >= 0) {
                throw new IllegalArgumentException("bytes after the last one");
            }
            return time;
        } catch (IllegalArgumentException | ArithmeticException | EOFException e) {
            throw new TxnException(ErrorCode.JOURNAL_DAMAGED, e, "snapshot", e.getMessage());
        }
    }

    private static void parts(InputStream stream, Interner interner, String what, Consumer<In> restore)
            throws IOException {
        long count = varint(stream);
        byte[] bytes = new byte[1024];
        for (long i = 0; i < count; i++) {
            int length = Math.toIntExact(varint(stream));
            bytes = length <= bytes.length ? bytes : new byte[length];
            if (stream.readNBytes(bytes, 0, length) < length) {
                throw new EOFException("the snapshot ends in " + what + ' ' + i + " of " + count);
            }
            restore.accept(new In(ByteBuffer.wrap(bytes, 0, length), interner));
        }
    }

    private static EntrySequence.State entries(InputStream stream) throws IOException {
        long writer = varint(stream);
        long next = varint(stream);
        long count = varint(stream);
        if (count < 0 || count > MOST_PAST_WRITERS) {
            throw new IllegalArgumentException(count + " earlier writers");
        }
        List<Long> past = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            past.add(varint(stream));
        }
        return new EntrySequence.State(writer, next, past);
    }

    private static long varint(InputStream stream) throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int b = stream.read();
            if (b < 0) {
                throw new EOFException("the snapshot ends in a number");
            }
            value |= (long) (b & 0x7F) << shift;
            if ((b & 0x80) == 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number is longer than 64 bits");
    }

    private static boolean hasDirt(GlobalTransaction transaction) {
        return transaction.branches().stream().anyMatch(branch -> branch.dirt() != null);
    }

    private static boolean hasPolicy(GlobalTransaction transaction) {
        return transaction.branches().stream().anyMatch(branch -> branch.policy() != null);
    }

    private static void encode(GlobalTransaction transaction, int version, Out out) {
        out.varint(transaction.number());
        out.string(transaction.address());
        out.string(transaction.name());
        EventCodec.client(transaction.client(), out);
        out.varint(transaction.beganAt());
        out.varint(transaction.deadline());
        out.u1(transaction.state().ordinal());
        out.u1(transaction.outcome().ordinal());
        out.u1(transaction.timedOut() ? 1 : 0);
        out.string(transaction.cause());
        out.varint(transaction.decidedAt());
        out.varint(transaction.endedAt());
        out.varint(transaction.requestId());
        out.varint(transaction.branches().size());
        for (Branch branch : transaction.branches()) {
            out.varint(branch.id());
            out.u1(branch.type().ordinal());
            out.string(branch.resource());
            EventCodec.client(branch.client(), out);
            out.string(branch.locks());
            out.string(branch.applicationData());
            out.u1(branch.state().ordinal());
            out.varint(branch.attempts());
            out.varint(branch.nextAt());
            out.string(branch.cause());
            out.varint(branch.requestId());
            if (version > PLAIN_VERSION) {
                dirt(branch.dirt(), out);
            }
            if (version >= 6) {
                out.u1(branch.policy() == null ? 0 : 1);
                if (branch.policy() != null) {
                    EventCodec.policy(branch.policy(), out);
                }
            }
        }
        if (version >= 5) {
            saga(transaction.saga(), out);
        }
    }

    private static void saga(@Nullable SagaState saga, Out out) {
        out.u1(saga == null ? 0 : 1);
        if (saga == null) {
            return;
        }
        out.string(saga.plan().text());
        out.string(saga.input());
        for (SagaState.Place place : saga.places()) {
            out.u1(place.settled().ordinal());
            out.varint(place.branch());
            out.varint(place.chosen() + 1);
            out.varint(place.rounds());
        }
        out.varint(saga.executions().size());
        for (SagaState.Execution execution : saga.executions()) {
            out.varint(execution.branch());
            out.varint(execution.step());
            out.u1(execution.progress().ordinal());
            out.varint(execution.beganAt());
            out.varint(execution.beganAfter());
            out.varint(execution.order());
            out.string(execution.result());
        }
        out.varint(saga.ended());
        out.varint(saga.resultBytes());
    }

    private static @Nullable SagaState saga(In in) {
        if (in.u1() == 0) {
            return null;
        }
        PlanText plan = EventCodec.plan(in);
        String input = in.text();
        int steps = plan.plan().steps().size();
        List<SagaState.Place> places = new ArrayList<>(steps);
        for (int i = 0; i < steps; i++) {
            places.add(new SagaState.Place(
                    in.constant(SETTLED), in.varint(), in.count(steps) - 1, in.count(Integer.MAX_VALUE)));
        }
        int count = in.count(in.remaining());
        List<SagaState.Execution> executions = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            executions.add(new SagaState.Execution(
                    in.varint(),
                    in.count(steps - 1),
                    in.constant(PROGRESS),
                    in.varint(),
                    in.count(Integer.MAX_VALUE),
                    in.count(Integer.MAX_VALUE),
                    in.string()));
        }
        return new SagaState(plan, input, places, executions, in.count(Integer.MAX_VALUE), in.count(Integer.MAX_VALUE));
    }

    private static void dirt(@Nullable Dirt dirt, Out out) {
        out.u1(dirt == null ? 0 : 1);
        if (dirt != null) {
            out.string(dirt.report() == null ? null : dirt.report().text());
            out.string(dirt.decision() == null ? null : dirt.decision().text());
            out.string(dirt.decidedBy());
        }
    }

    private static @Nullable Dirt dirt(In in) {
        return in.u1() == 0 ? null : new Dirt(rows(in), rows(in), in.string());
    }

    private static @Nullable RowData rows(In in) {
        String text = in.string();
        return text == null ? null : new RowData(text);
    }

    private static GlobalTransaction decode(In in, int version) {
        GlobalTransaction transaction = new GlobalTransaction(
                in.varint(),
                in.sharedText(),
                in.sharedText(),
                EventCodec.client(in),
                in.varint(),
                in.varint(),
                in.constant(STATES),
                in.constant(OUTCOMES),
                in.u1() != 0,
                in.string(),
                in.varint(),
                in.varint(),
                version < 2 ? 0 : in.varint(),
                branches(in, version),
                version < 5 ? null : saga(in));
        if (in.remaining() > 0) {
            throw new IllegalArgumentException(in.remaining() + " bytes too many in a transaction");
        }
        return transaction;
    }

    private static List<Branch> branches(In in, int version) {
        int count = in.count(in.remaining());
        List<Branch> branches = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long id = in.varint();
            BranchType type = in.constant(BRANCH_TYPES);
            branches.add(new Branch(
                    id,
                    type,
                    in.sharedText(),
                    EventCodec.client(in),
                    in.string(),
                    in.dataOf(type),
                    in.constant(BRANCH_STATES),
                    in.count(Integer.MAX_VALUE),
                    in.varint(),
                    in.string(),
                    version < 2 ? 0 : in.varint(),
                    version < 3 ? null : dirt(in),
                    version < 6 || in.u1() == 0 ? null : EventCodec.policy(in)));
        }
        return branches;
    }
}
