package io.txn.coordinator.machine;

import io.txn.coordinator.lock.Holder;
import io.txn.coordinator.lock.LockConflict;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.lock.LockNames;
import io.txn.coordinator.lock.LockTable;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.saga.JsonText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One lock domain: its global transactions, the locks of their branches, and the ids it gives out. A pure state machine: {@link #decide} changes
 * nothing, {@link #apply} rejects nothing, and both depend on nothing but the state and their arguments. Not thread-safe: it belongs to the
 * engine's thread. Transactions are immutable, so that {@link #capture} can hand them to another thread.
 */
public final class Shard {

    /** Ids are {@code epoch | shard | counter}. */
    public static final int EPOCH_BITS = 26;

    public static final int SHARD_BITS = 5;
    public static final int COUNTER_BITS = 32;

    /** How many characters about rows in the way of undos are kept in all. */
    static final long MOST_DIRT = 32L << 20;

    /** Ids that sagas may need for their steps until somebody looks whether there are any left. */
    private static final int IDS_OF_A_MOMENT = 1 << 20;

    private final Rules rules;
    private final Machine machine;
    private final NavigableMap<Long, GlobalTransaction> transactions = new TreeMap<>();
    private final LockTable locks = new LockTable();
    private final RequestKeys keys;
    private final LockWaits waits = new LockWaits(locks, transactions::get);

    /** Transactions that a repeated begin may mean: active, and without a branch. */
    private final Map<BeginId, Long> begins = new HashMap<>();

    /** Branches that wait for a resource manager. Neither recorded nor captured: after a restart it is found out anew. */
    private final Set<Long> waiting = new HashSet<>();

    /** Steps of sagas under way of which a call has ended, so that the next one is not the first. Neither recorded nor captured: after a restart that is so of all. */
    private final Set<Long> called = new HashSet<>();

    private int active;
    private int unfinished;
    private int needingAttention;
    private long dirtSize;
    private long lastId;
    private long restartedAt = Long.MIN_VALUE;
    private long graceUntil = Long.MIN_VALUE;

    private record BeginId(String application, long requestId) {}

    public Shard(Rules rules) {
        this.rules = rules;
        this.machine = new Machine(rules);
        this.keys = new RequestKeys(rules.keys());
    }

    // Commands

    /** What follows from {@code command} at journal time {@code at}. */
    public Decision decide(Command command, long at) {
        if (command instanceof Command.Begin begin) {
            return begin(begin, at);
        } else if (command instanceof Command.LeaseIds lease) {
            return lease(lease);
        } else if (command instanceof Command.QueryLocks query) {
            return Decision.of(queryLocks(query, at));
        } else if (command instanceof Command.Named named) {
            GlobalTransaction transaction = transaction(named.xid());
            return transaction == null
                    ? Decision.of(new Reply.TransactionUnknown(named.xid()))
                    : decide(transaction, command, at);
        } else if (command instanceof Command.Internal internal) {
            GlobalTransaction transaction = transactions.get(internal.transaction());
            return transaction == null
                    ? Decision.of(new Reply.TransactionUnknown(null))
                    : decide(transaction, command, at);
        }
        throw new AssertionError("no decision for " + command);
    }

    private Decision begin(Command.Begin command, long at) {
        GlobalTransaction repeated = repeated(command, at);
        if (repeated != null) {
            boolean same = repeated.name().equals(command.name())
                    && repeated.deadline() - repeated.beganAt() == command.timeoutMillis();
            return Decision.of(
                    same
                            ? new Reply.Begun(repeated.xid())
                            : Reply.Rejected.of(
                                    ErrorCode.BAD_REQUEST, "field", "request-id", "usedBy", repeated.xid()));
        }
        Reply known = command.number() == 0 ? null : known(command);
        if (known != null) {
            return Decision.of(known);
        }
        RequestKeys.Key key = command.key() == null
                ? null
                : new RequestKeys.Key(command.client().application(), command.name(), command.key());
        RequestKeys.Entry first = key == null ? null : keys.find(key, at);
        if (first != null) {
            return Decision.of(new Reply.KeyTaken(first));
        }
        if (key != null && keys.isFull(at)) {
            return Decision.of(Reply.Rejected.of(
                    ErrorCode.COORDINATOR_OVERLOADED, "requestKeys", keys.size(), "bytes", keys.bytes()));
        }
        if (unfinished >= rules.maxTransactions()) {
            return Decision.of(
                    Reply.Rejected.of(ErrorCode.COORDINATOR_OVERLOADED, "transactions", rules.maxTransactions()));
        }
        long number = command.number() == 0 ? lastId + 1 : command.number();
        Event.Begun begun = new Event.Begun(
                number,
                command.address(),
                command.name(),
                command.client(),
                command.timeoutMillis(),
                command.requestId());
        List<Event> events = new ArrayList<>(2);
        events.add(begun);
        if (key != null) {
            events.add(new Event.KeyClaimed(number, key.text()));
        }
        if (command.sagaEngine() != null) {
            events.add(Machine.driver(number, command.sagaEngine(), command.client()));
        }
        if (command.saga() != null) {
            Event.SagaPlanned planned = new Event.SagaPlanned(
                    number, command.saga().plan(), command.saga().input());
            Decision started = PlannedSagas.start(begun, planned, at, Math.max(lastId, number) + 1)
                    .reply(null);
            events.addAll(started.events());
        }
        return new Decision(events, List.of(), new Reply.Begun(Xid.of(command.address(), number)));
    }

    /** What follows for a begin under a lent id without looking further; null when nothing does. */
    private @Nullable Reply known(Command.Begin command) {
        GlobalTransaction there = transactions.get(command.number());
        if (there != null
                && there.name().equals(command.name())
                && there.client().application().equals(command.client().application())) {
            return new Reply.Begun(there.xid());
        }
        return there == null && isGivenOut(command.number(), lastId)
                ? null
                : Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "begin-xid", "number", command.number());
    }

    /** Whether an id belongs to the range of {@code lastId}, and not to those that are still to be given out. */
    static boolean isGivenOut(long id, long lastId) {
        return id >>> COUNTER_BITS == lastId >>> COUNTER_BITS && id <= lastId && (id & ((1L << COUNTER_BITS) - 1)) != 0;
    }

    private Decision lease(Command.LeaseIds command) {
        long counter = lastId & ((1L << COUNTER_BITS) - 1);
        if (lastId == 0 || counter + command.count() >= (1L << COUNTER_BITS) - 2) {
            return Decision.of(Reply.Rejected.of(ErrorCode.COORDINATOR_OVERLOADED, "ids", "used up"));
        }
        return new Decision(
                List.of(new Event.IdsLeased(command.count())),
                List.of(),
                new Reply.Leased(Xid.of(command.address(), lastId + 1), command.count()));
    }

    /** The transaction that this very request opened before, if it can still be worked in. */
    private @Nullable GlobalTransaction repeated(Command.Begin command, long at) {
        Long number = command.requestId() == 0
                ? null
                : begins.get(new BeginId(command.client().application(), command.requestId()));
        GlobalTransaction transaction = number == null ? null : transactions.get(number);
        return transaction == null || (transaction.saga() == null && at >= deadline(transaction)) ? null : transaction;
    }

    /** Of two that one request opened, the second because the first one's deadline had passed: the second, whatever still happens to the first. */
    private Long later(Long one, Long other) {
        GlobalTransaction first = transactions.get(one);
        GlobalTransaction second = transactions.get(other);
        return first != null && second != null && first.beganAt() > second.beganAt() ? one : other;
    }

    /** Keeps in {@link #begins} what belongs there. */
    private void index(GlobalTransaction transaction) {
        if (transaction.requestId() != 0) {
            BeginId id = new BeginId(transaction.client().application(), transaction.requestId());
            int drivers = transaction.driver() == null ? 0 : 1;
            boolean mayBeRepeated = transaction.saga() != null
                    || transaction.state() == TransactionState.ACTIVE
                            && transaction.branches().size() == drivers;
            if (mayBeRepeated) {
                begins.merge(id, transaction.number(), this::later);
            } else {
                begins.remove(id, transaction.number());
            }
        }
    }

    private Decision decide(GlobalTransaction transaction, Command given, long at) {
        Command command = given;
        if (given instanceof Command.BranchAnswered answered
                && answered.report() != null
                && dirtSize + answered.report().text().length() > MOST_DIRT) {
            command = answered.withoutReport("more rows in the way than are kept; end other transactions, then retry");
        }
        boolean calledBefore =
                command instanceof Command.BranchAnswered answered && wasCalled(transaction, answered.branch());
        Decision decision = machine.decide(
                transaction, command, new Machine.Moment(at, lastId + 1, deadline(transaction), calledBefore));
        if (decision.reply() instanceof Reply.Registered
                && !decision.events().isEmpty()
                && command instanceof Command.RegisterBranch register
                && register.type() == BranchType.AT
                && register.locks() != null) {
            LockConflict conflict = conflict(transaction.number(), register.lockNames(), register.locks());
            if (conflict != null) {
                return Decision.of(refusal(register, conflict, at, register.holdsLocalTransaction()));
            }
        }
        RequestKey.Answer answer = transaction.saga() == null
                ? answer(command, decision.events())
                : sagaAnswer(transaction, decision.events(), at);
        return answer != null && keys.takes(transaction.number(), answer)
                ? withFirst(new Event.KeyAnswered(transaction.number(), answer), decision)
                : decision;
    }

    /** What a repeated request is to be told of this decision; null when nothing is decided, or nobody says. Whatever the deadline decides may run again. */
    private static RequestKey.@Nullable Answer answer(Command command, List<Event> events) {
        if (command instanceof Command.Commit commit) {
            for (Event event : events) {
                if (event instanceof Event.CommitDecided) {
                    return commit.answer();
                } else if (event instanceof Event.RollbackDecided rollback
                        && !rollback.timedOut()
                        && rollback.cause() != null) {
                    return RequestKey.Answer.failure(rollback.cause());
                }
            }
        } else if (command instanceof Command.Rollback rollback) {
            return events.stream().anyMatch(Event.RollbackDecided.class::isInstance) ? rollback.answer() : null;
        }
        return null;
    }

    /** What a repeated start of a saga is told: its result, or why it failed. */
    private static RequestKey.@Nullable Answer sagaAnswer(GlobalTransaction before, List<Event> events, long at) {
        GlobalTransaction now = before;
        for (Event event : events) {
            if (event instanceof Event.RollbackDecided rollback && rollback.cause() != null) {
                return RequestKey.Answer.failure(rollback.cause());
            } else if (event instanceof Event.CommitDecided) {
                String result = now.planned().result();
                // No decision fails for it.
                return JsonText.bytes(result) > RequestKey.LONGEST_RESULT ? null : new RequestKey.Answer(false, result);
            } else if (event instanceof Event.OfTransaction ofTransaction) {
                now = Machine.apply(now, ofTransaction, at);
            }
        }
        return null;
    }

    private static Decision withFirst(Event first, Decision decision) {
        List<Event> events = new ArrayList<>(decision.events().size() + 1);
        events.add(first);
        events.addAll(decision.events());
        return new Decision(events, decision.effects(), decision.reply());
    }

    /** Of several rows in the way one comes first whose holder rolls back: that decides whether the caller may wait. */
    private @Nullable LockConflict conflict(long number, List<String> names, LockKeys keys) {
        LockConflict first = null;
        for (String name : names) {
            LockConflict conflict = locks.conflict(number, name, keys, holder -> rollsBack(holder.transaction()));
            if (conflict != null && rollsBack(conflict.holder().transaction())) {
                return conflict;
            }
            first = first == null ? conflict : first;
        }
        return first;
    }

    private boolean rollsBack(long number) {
        GlobalTransaction transaction = transactions.get(number);
        return transaction != null && transaction.outcome() == Outcome.ROLLBACK;
    }

    private Reply.LockConflict refusal(
            Command.ForRows command, LockConflict conflict, long at, boolean holdsLocalTransaction) {
        GlobalTransaction holder = transactions.get(conflict.holder().transaction());
        if (holder == null) {
            throw new AssertionError("a lock without a transaction: " + conflict);
        }
        boolean inTheWay = (holdsLocalTransaction || command.waitMillis() > 0) && rollsBack(holder.number());
        return new Reply.LockConflict(
                command.resource(),
                conflict.row(),
                holder,
                conflict.holder().branch(),
                Math.max(0, at - holder.beganAt()),
                inTheWay ? Reply.Why.HOLDER_ROLLS_BACK : Reply.Why.HELD,
                null);
    }

    private Reply queryLocks(Command.QueryLocks query, long at) {
        Xid xid = query.xid();
        GlobalTransaction transaction = xid == null ? null : transaction(xid);
        long number = transaction == null ? 0 : transaction.number();
        if (transaction != null && query.waitMillis() > 0 && transaction.outcome() != Outcome.OPEN) {
            return new Reply.NotActive(transaction);
        }
        LockConflict conflict = conflict(number, query.lockNames(), query.locks());
        if (conflict != null && query.waitMillis() > 0) {
            return refusal(query, conflict, at, true);
        }
        return new Reply.Lockable(conflict == null);
    }

    // Events

    /** Makes {@code event} so; {@code at} is the time of its record. */
    public void apply(Event event, long at) {
        if (event instanceof Event.EpochStarted started) {
            lastId = firstId(started.epoch(), started.shard());
        } else if (event instanceof Event.IdsLeased leased) {
            lastId += leased.count();
        } else if (event instanceof Event.Begun begun) {
            lastId = Math.max(lastId, begun.transaction());
            GlobalTransaction opened = Machine.begun(begun, at);
            transactions.put(begun.transaction(), opened);
            index(opened);
            unfinished++;
            active++;
        } else if (event instanceof Event.KeyClaimed claimed) {
            GlobalTransaction owner = transactions.get(claimed.transaction());
            if (owner != null) {
                String application = owner.client().application();
                keys.claimed(new RequestKeys.Key(application, owner.name(), claimed.key()), owner, at);
            }
        } else if (event instanceof Event.KeyAnswered answered) {
            keys.answered(answered.transaction(), answered.answer());
        } else if (event instanceof Event.OfTransaction ofTransaction) {
            GlobalTransaction before = transactions.get(ofTransaction.transaction());
            if (before != null) {
                apply(before, ofTransaction, at);
            }
        } else {
            throw new AssertionError("no application for " + event);
        }
    }

    private void apply(GlobalTransaction before, Event.OfTransaction event, long at) {
        GlobalTransaction after = Machine.apply(before, event, at);
        transactions.put(after.number(), after);
        index(after);
        unfinished += (after.state().isFinal() ? 0 : 1) - (before.state().isFinal() ? 0 : 1);
        active += active(after) - active(before);
        needingAttention += attention(after) - attention(before);
        if (dirtSize > 0 || event instanceof Event.DirtReported) {
            dirtSize += dirtSize(after) - dirtSize(before);
        }
        if (event instanceof Event.OfBranch ofBranch && !waiting.isEmpty()) {
            Branch branch = after.branch(ofBranch.branch());
            if (branch != null && branch.state().isOver()) {
                waiting.remove(branch.id());
            }
        }
        if (!called.isEmpty() && after.saga() != null) {
            forgetCalls(after, event);
        }
        if (event instanceof Event.StepStarted started) {
            lastId = Math.max(lastId, started.branch());
        } else if (event instanceof Event.BranchRegistered registered) {
            if (!after.isDriver(registered.branch())) {
                lastId = Math.max(lastId, registered.branch());
            }
            if (registered.locks() != null && after.holdsLocks()) {
                Holder holder = new Holder(after.number(), registered.branch());
                for (String name : LockNames.of(registered.resource(), registered.applicationData())) {
                    locks.grant(holder, name, registered.locks());
                }
                waits.granted(after.number());
            }
        } else if (event instanceof Event.RetriesReset) {
            after.branches().forEach(branch -> waiting.remove(branch.id()));
        } else if (event instanceof Event.CommitDecided) {
            for (Branch branch : before.branches()) {
                release(after, branch);
            }
            waits.decided(after.number());
            keys.decided(after.number(), Outcome.COMMIT, at);
        } else if (event instanceof Event.RollbackDecided) {
            if (after.saga() != null) {
                // What waited for its action may have somebody who compensates it.
                after.branches().forEach(branch -> waiting.remove(branch.id()));
            }
            rollsBack(after);
            keys.decided(after.number(), Outcome.ROLLBACK, at);
        } else if (event instanceof Event.Ended) {
            keys.ended(after.number());
        } else if (event instanceof Event.SagaHandedBack) {
            waits.decided(after.number());
        } else if (event instanceof Event.OfBranch ofBranch && before.holdsLocks()) {
            Branch branch = after.branch(ofBranch.branch());
            if (branch != null && branch.state().isOver()) {
                passOn(after, branch);
            }
        }
    }

    private void rollsBack(GlobalTransaction transaction) {
        if (waits.isEmpty()) {
            return;
        }
        waits.decided(transaction.number());
        for (Branch branch : transaction.branches()) {
            if (branch.locks() != null && !branch.state().isOver()) {
                LockKeys keys = keys(branch.locks());
                branch.lockNames().forEach(name -> waits.holderRollsBack(name, keys));
            }
        }
    }

    private static int active(GlobalTransaction transaction) {
        return transaction.state() == TransactionState.ACTIVE && transaction.saga() == null ? 1 : 0;
    }

    private static long dirtSize(GlobalTransaction transaction) {
        long size = 0;
        for (Branch branch : transaction.branches()) {
            size += branch.dirtSize();
        }
        return size;
    }

    private static int attention(GlobalTransaction transaction) {
        return transaction.state() == TransactionState.NEEDS_ATTENTION ? 1 : 0;
    }

    /** Gives each row of a branch that is over to the next unfinished branch that names it, and frees the others. */
    private void passOn(GlobalTransaction transaction, Branch ended) {
        if (ended.locks() == null) {
            return;
        }
        Holder from = new Holder(transaction.number(), ended.id());
        List<String> names = ended.lockNames();
        boolean later = false;
        for (Branch branch : transaction.branches()) {
            if (branch.id() == ended.id()) {
                later = true;
            } else if (later && !branch.state().isOver() && branch.locks() != null) {
                Holder to = new Holder(transaction.number(), branch.id());
                for (String name : branch.lockNames()) {
                    if (names.contains(name)) {
                        locks.handOver(from, to, name, keys(branch.locks()));
                    }
                }
            }
        }
        release(transaction, ended);
    }

    private void release(GlobalTransaction transaction, Branch branch) {
        if (branch.locks() != null) {
            Holder holder = new Holder(transaction.number(), branch.id());
            LockKeys keys = keys(branch.locks());
            branch.lockNames().forEach(name -> release(holder, name, keys));
        }
    }

    private void release(Holder holder, String name, LockKeys keys) {
        locks.release(holder, name, keys);
        if (!waits.isEmpty()) {
            waits.freed(name, keys);
        }
    }

    /** Lock keys that were accepted once are read again without a bound. */
    private static LockKeys keys(String text) {
        return LockKeys.parse(text, Integer.MAX_VALUE);
    }

    // Due work

    /** The calls of phase two that may be made now for a transaction; see {@link Machine#pending}. */
    public List<Effect.CallBranch> pending(long number, long now) {
        GlobalTransaction transaction = transactions.get(number);
        return transaction == null ? List.of() : Machine.pending(transaction, now, waiting);
    }

    /**
     * There is nobody to call for a branch: {@link #pending} does not name it until {@link #resourceCame} or an operator's retry. Returns false when
     * no call is owed to it, or one of another resource: a step's compensation, when its action was called in vain.
     */
    public boolean awaitResource(long number, long branchId, String resource) {
        GlobalTransaction transaction = transactions.get(number);
        Branch branch = transaction == null ? null : transaction.branch(branchId);
        boolean owed = transaction != null
                && branch != null
                && transaction.owes(branch)
                && branch.resource().equals(resource)
                && branch.state() != BranchState.STUCK;
        if (owed) {
            waiting.add(branchId);
        }
        return owed;
    }

    /** There is a resource manager of {@code resource}: the branches of a transaction that waited for one wait no longer. */
    public void resourceCame(long number, String resource) {
        GlobalTransaction transaction = transactions.get(number);
        if (transaction != null) {
            for (Branch branch : transaction.branches()) {
                if (branch.resource().equals(resource)) {
                    waiting.remove(branch.id());
                }
            }
        }
    }

    /**
     * A call of a saga's step has ended, and it is not known that it did nothing: whatever is refused from now on may have been done. Also when that could not be recorded, or an operator has the attempts counted anew.
     */
    public void callEnded(long number, long branchId) {
        GlobalTransaction transaction = transactions.get(number);
        if (transaction != null && isUnderWay(transaction, branchId)) {
            called.add(branchId);
        }
    }

    /** Whether a call of a saga's step may have been sent before the present one: in this life, or in one before. */
    private boolean wasCalled(GlobalTransaction transaction, long branchId) {
        SagaState.Execution execution =
                transaction.saga() == null ? null : transaction.saga().execution(branchId);
        return execution != null && (execution.beganAt() <= restartedAt || called.contains(branchId));
    }

    private static boolean isUnderWay(GlobalTransaction transaction, long branchId) {
        return transaction.saga() != null
                && transaction.outcome() == Outcome.OPEN
                && transaction.saga().isUnderWay(branchId);
    }

    private void forgetCalls(GlobalTransaction after, Event.OfTransaction event) {
        if (after.outcome() != Outcome.OPEN) {
            after.branches().forEach(branch -> called.remove(branch.id()));
        } else if (event instanceof Event.OfBranch ofBranch && !isUnderWay(after, ofBranch.branch())) {
            called.remove(ofBranch.branch());
        }
    }

    /** Whether a branch waits for a resource manager. */
    public boolean awaitsResource(long branchId) {
        return waiting.contains(branchId);
    }

    /** When something is next due for a transaction by itself: its deadline, or a call; {@link Long#MAX_VALUE} for never. */
    public long nextDue(long number) {
        GlobalTransaction transaction = transactions.get(number);
        if (transaction == null) {
            return Long.MAX_VALUE;
        }
        if (transaction.saga() != null) {
            return PlannedSagas.nextDue(transaction, waiting, deadline(transaction), Long.MIN_VALUE);
        }
        return transaction.state() == TransactionState.ACTIVE
                ? deadline(transaction)
                : Machine.nextCallAt(transaction, waiting);
    }

    /**
     * The same for what is due later than {@code now}; {@link Long#MAX_VALUE} for never. A saga may have several things to come, while a call that was due is under way.
     */
    public long nextDueAfter(long number, long now) {
        GlobalTransaction transaction = transactions.get(number);
        if (transaction != null && transaction.saga() != null) {
            return PlannedSagas.nextDue(transaction, waiting, deadline(transaction), now);
        }
        long at = nextDue(number);
        return at > now ? at : Long.MAX_VALUE;
    }

    /** Whether the time of a saga, or of one of its steps, is over, and that is not decided. */
    public boolean isLate(long number, long now) {
        GlobalTransaction transaction = transactions.get(number);
        return transaction != null
                && transaction.saga() != null
                && PlannedSagas.isLate(transaction, deadline(transaction), now);
    }

    /** From now on, transactions begun before {@code now} keep at least until {@code now + grace}. Called once, after the replay. */
    public void restarted(long now, long grace) {
        restartedAt = now;
        graceUntil = now + grace;
    }

    private long deadline(GlobalTransaction transaction) {
        return transaction.beganAt() < restartedAt
                ? Math.max(transaction.deadline(), graceUntil)
                : transaction.deadline();
    }

    // Ids

    private static long firstId(int epoch, int shard) {
        return ((long) epoch << (SHARD_BITS + COUNTER_BITS)) | ((long) shard << COUNTER_BITS);
    }

    /** Whether the ids of the current epoch are used up, or none has begun: an {@link Event.EpochStarted} is due. */
    public boolean needsEpoch() {
        long counter = lastId & ((1L << COUNTER_BITS) - 1);
        return lastId == 0 || counter >= (1L << COUNTER_BITS) - IDS_OF_A_MOMENT;
    }

    /** The epoch of the ids given out at present, 0 for none. */
    public int epoch() {
        return (int) (lastId >>> (SHARD_BITS + COUNTER_BITS));
    }

    public long lastId() {
        return lastId;
    }

    // Reading and restoring

    /** The transaction with this XID, address included, or null. */
    public @Nullable GlobalTransaction transaction(Xid xid) {
        GlobalTransaction transaction = transactions.get(xid.number());
        return transaction != null && transaction.is(xid) ? transaction : null;
    }

    public @Nullable GlobalTransaction transaction(long number) {
        return transactions.get(number);
    }

    /** The transactions with a number greater than {@code after}, in order; a live view. */
    public Collection<GlobalTransaction> transactionsAfter(long after) {
        return Collections.unmodifiableCollection(
                transactions.tailMap(after, false).values());
    }

    public LockTable locks() {
        return locks;
    }

    /** By what businesses call requests. */
    public RequestKeys keys() {
        return keys;
    }

    /** Drops what is kept for a time that is over. */
    public void expireKeys(long now) {
        keys.expire(now);
    }

    /** Who waits for rows. */
    public LockWaits waits() {
        return waits;
    }

    public int size() {
        return transactions.size();
    }

    /** How many are not decided yet. */
    public int active() {
        return active;
    }

    public int unfinished() {
        return unfinished;
    }

    public int needingAttention() {
        return needingAttention;
    }

    /** Drops a final transaction from memory. */
    public void forget(long number) {
        GlobalTransaction transaction = transactions.get(number);
        if (transaction != null && transaction.state().isFinal()) {
            transactions.remove(number);
            if (transaction.requestId() != 0 && transaction.saga() != null) {
                begins.remove(new BeginId(transaction.client().application(), transaction.requestId()), number);
            }
        }
    }

    /** Everything that cannot be derived. The transactions are immutable, so the capture may be read by another thread. */
    public record Capture(long lastId, List<GlobalTransaction> transactions, List<RequestKeys.Entry> keys) {}

    public Capture capture() {
        return new Capture(
                lastId, Arrays.asList(transactions.values().toArray(new GlobalTransaction[0])), keys.capture());
    }

    /** Takes over ids from a snapshot. */
    public void restoreLastId(long id) {
        lastId = id;
    }

    /** Takes over a key from a snapshot, in the order in which it was captured. */
    public void restore(RequestKeys.Entry key) {
        keys.restore(key);
    }

    /** Takes over a transaction from a snapshot, and its locks. */
    public void restore(GlobalTransaction transaction) {
        transactions.put(transaction.number(), transaction);
        index(transaction);
        unfinished += transaction.state().isFinal() ? 0 : 1;
        active += active(transaction);
        needingAttention += attention(transaction);
        dirtSize += dirtSize(transaction);
        if (transaction.holdsLocks()) {
            for (Branch branch : transaction.branches()) {
                if (!branch.state().isOver() && branch.locks() != null) {
                    Holder holder = new Holder(transaction.number(), branch.id());
                    LockKeys keys = keys(branch.locks());
                    branch.lockNames().forEach(name -> locks.grant(holder, name, keys));
                }
            }
        }
    }
}
