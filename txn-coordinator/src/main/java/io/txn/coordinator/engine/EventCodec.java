package io.txn.coordinator.engine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.PlanText;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.saga.SagaPlan;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries of the journal: {@code version, takes over (0 or 1), writer, number, time, count, count × (type, fields)}. One entry holds the events of one
 * decision; {@link EntrySequence} says what writer and number are for. Nothing in it depends on the kind of journal. Version 1 had neither of the three; version 3 has
 * events about rows in the way of undos and marks, version 4 those about request keys, version 5 those of sagas that the coordinator drives, version 6 branches with a policy of their own; each is written only for these.
 * Type numbers and field order are for ever; what must change gets a new number or a new version. A newer version is refused with JOURNAL_TOO_NEW, and
 * bytes that no version wrote with JOURNAL_DAMAGED.
 */
final class EventCodec {

    static final int VERSION = 6;

    /** What an entry is written as that has nothing newer in it, so that the version before can still be gone back to. */
    private static final int PLAIN_VERSION = 2;

    private static final BranchType[] BRANCH_TYPES = BranchType.values();
    private static final Outcome[] OUTCOMES = Outcome.values();

    private EventCodec() {}

    /**
     * An entry read back.
     *
     * @param place null in version 1
     */
    record Entry(EntrySequence.@Nullable Place place, long time, List<Event> events) {}

    static void encode(EntrySequence.Place place, long time, List<Event> events, Out out) {
        out.u1(version(events));
        out.u1(place.takesOver() ? 1 : 0);
        out.varint(place.writer());
        out.varint(place.number());
        out.varint(time);
        out.varint(events.size());
        for (Event event : events) {
            encode(event, out);
        }
    }

    /** The lowest that has all of them. */
    private static int version(List<Event> events) {
        int version = PLAIN_VERSION;
        for (Event event : events) {
            if (event instanceof Event.BranchRegistered registered && registered.policy() != null) {
                return VERSION;
            } else if (isOfSaga(event)) {
                version = 5;
            } else if (event instanceof Event.KeyClaimed || event instanceof Event.KeyAnswered) {
                version = Math.max(version, 4);
            } else if (isOfVersion3(event)) {
                version = Math.max(version, 3);
            }
        }
        return version;
    }

    private static boolean isOfSaga(Event event) {
        return event instanceof Event.SagaPlanned
                || event instanceof Event.StepStarted
                || event instanceof Event.StepSettled
                || event instanceof Event.StepDone
                || event instanceof Event.StepOngoing
                || event instanceof Event.StepFailed
                || event instanceof Event.Chosen
                || event instanceof Event.SagaResumed;
    }

    private static boolean isOfVersion3(Event event) {
        return event instanceof Event.DirtReported
                || event instanceof Event.DirtDecided
                || event instanceof Event.RollbackOnlyMarked;
    }

    static Entry decode(ByteBuffer record, Interner interner) {
        In in = new In(record, interner);
        try {
            int version = in.u1();
            if (version > VERSION) {
                throw new TxnException(ErrorCode.JOURNAL_TOO_NEW, null, "recordVersion", version, "readable", VERSION);
            }
            if (version < 1) {
                throw new IllegalArgumentException("no version " + version);
            }
            EntrySequence.Place place = version == 1 ? null : place(in);
            long time = in.varint();
            int count = in.count(in.remaining());
            List<Event> events = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                events.add(decode(in));
            }
            if (in.remaining() > 0) {
                throw new IllegalArgumentException(in.remaining() + " bytes too many");
            }
            return new Entry(place, time, events);
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.JOURNAL_DAMAGED, e, "record", e.getMessage());
        }
    }

    private static EntrySequence.Place place(In in) {
        boolean takesOver = in.u1() != 0;
        return new EntrySequence.Place(in.varint(), in.varint(), takesOver);
    }

    private static void encode(Event event, Out out) {
        if (event instanceof Event.EpochStarted e) {
            out.u1(1);
            out.varint(e.epoch());
            out.varint(e.shard());
        } else if (event instanceof Event.IdsLeased e) {
            out.u1(21);
            out.varint(e.count());
        } else if (event instanceof Event.Begun e) {
            out.u1(e.requestId() == 0 ? 2 : 18);
            out.varint(e.transaction());
            out.string(e.address());
            out.string(e.name());
            client(e.client(), out);
            out.varint(e.timeoutMillis());
            requestId(e.requestId(), out);
        } else if (event instanceof Event.BranchRegistered e) {
            out.u1(e.policy() != null ? 35 : e.requestId() == 0 ? 3 : 19);
            branch(e, out);
            out.u1(e.type().ordinal());
            out.string(e.resource());
            client(e.client(), out);
            out.string(e.locks() == null ? null : e.locks().text());
            out.string(e.applicationData());
            if (e.policy() != null) {
                out.varint(e.requestId());
                policy(e.policy(), out);
            } else {
                requestId(e.requestId(), out);
            }
        } else if (event instanceof Event.BranchReported e) {
            out.u1(4);
            branch(e, out);
            out.string(e.applicationData());
        } else if (event instanceof Event.PhaseOneFailed e) {
            out.u1(5);
            branch(e, out);
            out.string(e.applicationData());
        } else if (event instanceof Event.CommitDecided e) {
            out.u1(e.cause() == null ? 6 : 20);
            out.varint(e.transaction());
            if (e.cause() != null) {
                out.string(e.cause());
            }
        } else if (event instanceof Event.RollbackDecided e) {
            out.u1(7);
            out.varint(e.transaction());
            out.u1(e.timedOut() ? 1 : 0);
            out.string(e.cause());
        } else if (event instanceof Event.BranchFinished e) {
            out.u1(8);
            branch(e, out);
        } else if (event instanceof Event.AttemptFailed e) {
            out.u1(9);
            branch(e, out);
            out.varint(e.attempts());
            out.varint(e.nextAt());
            out.string(e.cause());
        } else if (event instanceof Event.BranchStuck e) {
            out.u1(10);
            branch(e, out);
            out.varint(e.attempts());
            out.string(e.cause());
        } else if (event instanceof Event.BranchGivenUp e) {
            out.u1(11);
            branch(e, out);
            out.string(e.reason());
        } else if (event instanceof Event.RetriesReset e) {
            out.u1(12);
            out.varint(e.transaction());
        } else if (event instanceof Event.AttentionNeeded e) {
            out.u1(13);
            out.varint(e.transaction());
            out.string(e.cause());
        } else if (event instanceof Event.Resumed e) {
            out.u1(14);
            out.varint(e.transaction());
        } else if (event instanceof Event.Ended e) {
            out.u1(15);
            out.varint(e.transaction());
        } else if (event instanceof Event.BranchDue e) {
            out.u1(16);
            branch(e, out);
        } else if (event instanceof Event.SagaHandedBack e) {
            out.u1(17);
            out.varint(e.transaction());
            out.u1(e.direction().ordinal());
            out.u1(e.timedOut() ? 1 : 0);
            out.string(e.cause());
        } else if (event instanceof Event.DirtReported e) {
            out.u1(22);
            branch(e, out);
            out.string(e.report().text());
        } else if (event instanceof Event.DirtDecided e) {
            out.u1(23);
            branch(e, out);
            out.string(e.decision().text());
            out.string(e.decidedBy());
        } else if (event instanceof Event.RollbackOnlyMarked e) {
            out.u1(24);
            out.varint(e.transaction());
            out.string(e.cause());
        } else if (event instanceof Event.KeyClaimed e) {
            out.u1(25);
            out.varint(e.transaction());
            out.string(e.key());
        } else if (event instanceof Event.KeyAnswered e) {
            out.u1(26);
            out.varint(e.transaction());
            answer(e.answer(), out);
        } else if (event instanceof Event.SagaPlanned e) {
            out.u1(27);
            out.varint(e.transaction());
            out.string(e.plan().text());
            out.string(e.input());
        } else if (event instanceof Event.StepStarted e) {
            out.u1(28);
            branch(e, out);
            out.varint(e.step());
        } else if (event instanceof Event.StepSettled e) {
            out.u1(29);
            out.varint(e.transaction());
            out.varint(e.step());
            out.u1(e.done() ? 1 : 0);
        } else if (event instanceof Event.StepDone e) {
            out.u1(30);
            branch(e, out);
            out.string(e.result());
        } else if (event instanceof Event.StepOngoing e) {
            out.u1(31);
            branch(e, out);
            out.varint(e.until());
        } else if (event instanceof Event.StepFailed e) {
            out.u1(32);
            branch(e, out);
            out.u1(e.refused() ? 1 : 0);
            out.string(e.cause());
        } else if (event instanceof Event.Chosen e) {
            out.u1(33);
            branch(e, out);
            out.varint(e.next());
        } else if (event instanceof Event.SagaResumed e) {
            out.u1(34);
            out.varint(e.transaction());
        } else {
            throw new AssertionError("no code for " + event);
        }
    }

    private static Event decode(In in) {
        int type = in.u1();
        return switch (type) {
            case 1 -> new Event.EpochStarted((int) in.varint(), (int) in.varint());
            case 2 -> new Event.Begun(in.varint(), in.sharedText(), in.sharedText(), client(in), in.varint());
            case 3 -> registered(in, false);
            case 4 -> new Event.BranchReported(in.varint(), in.varint(), in.string());
            case 5 -> new Event.PhaseOneFailed(in.varint(), in.varint(), in.string());
            case 6 -> new Event.CommitDecided(in.varint(), null);
            case 7 -> new Event.RollbackDecided(in.varint(), in.u1() != 0, in.string());
            case 8 -> new Event.BranchFinished(in.varint(), in.varint());
            case 9 ->
                new Event.AttemptFailed(in.varint(), in.varint(), in.count(Integer.MAX_VALUE), in.varint(), in.text());
            case 10 -> new Event.BranchStuck(in.varint(), in.varint(), in.count(Integer.MAX_VALUE), in.text());
            case 11 -> new Event.BranchGivenUp(in.varint(), in.varint(), in.text());
            case 12 -> new Event.RetriesReset(in.varint());
            case 13 -> new Event.AttentionNeeded(in.varint(), in.text());
            case 14 -> new Event.Resumed(in.varint());
            case 15 -> new Event.Ended(in.varint());
            case 16 -> new Event.BranchDue(in.varint(), in.varint());
            case 17 -> new Event.SagaHandedBack(in.varint(), in.constant(OUTCOMES), in.u1() != 0, in.string());
            case 18 ->
                new Event.Begun(in.varint(), in.sharedText(), in.sharedText(), client(in), in.varint(), requestId(in));
            case 19 -> registered(in, true);
            case 20 -> new Event.CommitDecided(in.varint(), in.text());
            case 21 -> new Event.IdsLeased(in.count(Integer.MAX_VALUE));
            case 22 -> new Event.DirtReported(in.varint(), in.varint(), new RowData(in.text()));
            case 23 -> new Event.DirtDecided(in.varint(), in.varint(), new RowData(in.text()), in.text());
            case 24 -> new Event.RollbackOnlyMarked(in.varint(), in.text());
            case 25 -> new Event.KeyClaimed(in.varint(), in.text());
            case 26 -> new Event.KeyAnswered(in.varint(), answer(in));
            case 27 -> new Event.SagaPlanned(in.varint(), plan(in), in.text());
            case 28 -> new Event.StepStarted(in.varint(), in.varint(), in.count(SagaPlan.MOST_STEPS));
            case 29 -> new Event.StepSettled(in.varint(), in.count(SagaPlan.MOST_STEPS), in.u1() != 0);
            case 30 -> new Event.StepDone(in.varint(), in.varint(), in.string());
            case 31 -> new Event.StepOngoing(in.varint(), in.varint(), in.varint());
            case 32 -> new Event.StepFailed(in.varint(), in.varint(), in.u1() != 0, in.text());
            case 33 -> new Event.Chosen(in.varint(), in.varint(), in.count(SagaPlan.MOST_STEPS));
            case 34 -> new Event.SagaResumed(in.varint());
            case 35 -> registeredWithPolicy(in);
            default -> throw new IllegalArgumentException("no event " + type);
        };
    }

    static PlanText plan(In in) {
        try {
            return in.interner().intern(PlanText.of(in.text()));
        } catch (TxnException e) {
            throw new IllegalArgumentException("a saga's plan", e);
        }
    }

    static void answer(RequestKey.Answer answer, Out out) {
        out.u1(answer.isFailure() ? 1 : 0);
        out.string(answer.text());
    }

    static RequestKey.Answer answer(In in) {
        return new RequestKey.Answer(in.u1() != 0, in.text());
    }

    private static Event registered(In in, boolean withRequestId) {
        long transaction = in.varint();
        long branch = in.varint();
        BranchType type = in.constant(BRANCH_TYPES);
        return new Event.BranchRegistered(
                transaction,
                branch,
                type,
                in.sharedText(),
                client(in),
                locks(in.string()),
                in.dataOf(type),
                withRequestId ? requestId(in) : 0);
    }

    private static Event registeredWithPolicy(In in) {
        Event.BranchRegistered plain = (Event.BranchRegistered) registered(in, false);
        return new Event.BranchRegistered(
                plain.transaction(),
                plain.branch(),
                plain.type(),
                plain.resource(),
                plain.client(),
                plain.locks(),
                plain.applicationData(),
                in.varint(),
                policy(in));
    }

    static void policy(BranchPolicy policy, Out out) {
        out.varint(policy.callTimeout());
        out.varint(policy.firstDelay());
        out.varint(policy.maxDelay());
        out.varint(policy.maxAttempts());
    }

    static BranchPolicy policy(In in) {
        BranchPolicy policy = new BranchPolicy(in.varint(), in.varint(), in.varint(), in.count(Integer.MAX_VALUE));
        return in.interner().intern(policy);
    }

    /** Events without one have numbers of their own, from before there were any. */
    private static void requestId(long id, Out out) {
        if (id != 0) {
            out.varint(id);
        }
    }

    private static long requestId(In in) {
        long id = in.varint();
        if (id == 0) {
            throw new IllegalArgumentException("a request id is missing");
        }
        return id;
    }

    private static void branch(Event.OfBranch event, Out out) {
        out.varint(event.transaction());
        out.varint(event.branch());
    }

    static void client(ClientId client, Out out) {
        out.string(client.application());
        out.string(client.host());
        out.varint(client.port());
    }

    static ClientId client(In in) {
        return in.interner().intern(new ClientId(in.sharedText(), in.sharedText(), in.count(65_535)));
    }

    private static @Nullable LockKeys locks(@Nullable String text) {
        try {
            return text == null ? null : LockKeys.parse(text, Integer.MAX_VALUE);
        } catch (TxnException e) {
            throw new IllegalArgumentException("lock keys " + text, e);
        }
    }
}
