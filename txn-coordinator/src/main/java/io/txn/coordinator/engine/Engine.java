package io.txn.coordinator.engine;

import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Iterator;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of a shard and its mailbox. Commands come from any thread and wait in a bounded mailbox; ends of branch calls come past the bound, because
 * each of them was asked for. Replies are given on the engine's thread: whoever takes one must not block.
 */
public final class Engine implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** Commands taken before the rest of the loop has its turn. */
    private static final int BATCH = 256;

    /** The longest sleep while something is due later: a clock that jumps forward is noticed within it. */
    private static final long MAX_NAP_MILLIS = 1_000;

    private static final Duration CLOSE_WAIT = Duration.ofSeconds(20);

    /** A write that takes longer is no slow disk any more: until it ends, nobody gets an answer. */
    private static final long STALLED_NANOS = Duration.ofSeconds(10).toNanos();

    private final EngineSettings settings;
    private final EngineCore core;
    private final Journal journal;
    private final BranchCaller caller;
    private final Queue<Task> mailbox = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final Queue<Runnable> ends = new ConcurrentLinkedQueue<>();

    /** Resources whose managers have come: each is named once, however often it is told. */
    private final Set<String> arrivals = ConcurrentHashMap.newKeySet();

    /** Callers that are gone: one note each, past the mailbox. Who is queued behind its own note finds that out by itself. */
    private final Queue<Caller> gone = new ConcurrentLinkedQueue<>();

    private final Thread thread;
    private boolean worked; // of the thread alone
    private volatile boolean asleep;
    private volatile boolean draining;
    private final CompletableFuture<Void> drained = new CompletableFuture<>();
    private volatile boolean closing;
    private volatile boolean healthy = true;
    private volatile EngineFigures.Sizes sizes = new EngineFigures.Sizes(0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** Something to do, with the bytes that it is estimated to hold while it waits. */
    private record Task(Runnable work, Consumer<TxnException> onFailure, long bytes) {}

    /** Who may fill which part of the mailbox. So nothing that asks for more work keeps out what ends work. */
    private enum Room {
        /** Begins, registers, questions. */
        HALF(2),
        /** Reports and operators: about what is there already. */
        THREE_QUARTERS(3),
        /** Commits and rollbacks. */
        WHOLE(4);

        private final int quarters;

        Room(int quarters) {
            this.quarters = quarters;
        }

        static Room of(Command command) {
            if (command instanceof Command.Commit || command instanceof Command.Rollback) {
                return WHOLE;
            }
            boolean ofWorkUnderWay = command instanceof Command.ReportBranch
                    || command instanceof Command.CompleteStep
                    || command instanceof Command.ReportSaga
                    || command instanceof Command.RetryNow
                    || command instanceof Command.GiveUp
                    || command instanceof Command.Force;
            return ofWorkUnderWay ? THREE_QUARTERS : HALF;
        }

        long of(long whole) {
            return (whole * quarters + 3) / 4;
        }
    }

    private Engine(
            Rules rules,
            EngineSettings settings,
            Journal journal,
            InstantSource clock,
            RandomGenerator random,
            BranchCaller caller) {
        this.settings = settings;
        this.journal = journal;
        this.caller = caller;
        this.core =
                new EngineCore(new Shard(rules), journal, new JournalTime(clock), random, settings, caller, this::wake);
        this.thread = new Thread(this::run, "txn-engine");
    }

    /** Replays the journal and starts. When this returns, everything acknowledged before is known and is being driven. */
    public static Engine start(
            Rules rules,
            EngineSettings settings,
            Journal journal,
            InstantSource clock,
            RandomGenerator random,
            BranchCaller caller) {
        Engine engine = new Engine(rules, settings, journal, clock, random, caller);
        engine.core.endsGoTo(engine::ended);
        engine.core.recover();
        engine.thread.start();
        return engine;
    }

    /**
     * Gives a command. Of the mailbox, in number and in bytes, begins, registers and questions may fill half, reports and operators' commands three
     * quarters, commits and rollbacks all: what was begun can be ended. {@code sink} is told once, on the engine's thread or, when there is no room or
     * the engine is closed, on this one.
     */
    public void submit(Command command, Consumer<Reply> sink) {
        submit(command, null, sink);
    }

    /** The same, for a command that may wait for rows: as long as {@code from} is there, which {@link #closed} is told of at its end. */
    public void submit(Command command, @Nullable Caller from, Consumer<Reply> sink) {
        if (draining && !closing && command instanceof Command.Begin) {
            sink.accept(Reply.Rejected.of(ErrorCode.NO_NEW_TRANSACTIONS));
            return;
        }
        offer(
                new Task(
                        () -> core.submit(command, from, sink),
                        cause -> sink.accept(new Reply.Rejected(cause.code(), cause.facts())),
                        Footprint.of(command)),
                Room.of(command));
    }

    /** Asks a question about the state; {@code question} runs on the engine's thread and must be quick. */
    public <T> CompletableFuture<T> read(Function<Shard, T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        offer(
                new Task(() -> core.read(question, answer), answer::completeExceptionally, Footprint.OF_A_QUESTION),
                Room.HALF);
        return answer;
    }

    private void offer(Task task, Room room) {
        if (closing) {
            task.onFailure.accept(stopping());
            return;
        }
        TxnException refusal = take(task, room);
        if (refusal != null) {
            task.onFailure.accept(refusal);
            return;
        }
        mailbox.add(task);
        if (closing) {
            failWaiting(stopping());
        }
        wake();
    }

    /** Takes room for a task, or says why there is none. A task alone has room whatever its size: the protocol bounds that. */
    private @Nullable TxnException take(Task task, Room room) {
        long most = room.of(settings.mailbox());
        if (waiting.incrementAndGet() > most) {
            waiting.decrementAndGet();
            return new TxnException(ErrorCode.COORDINATOR_OVERLOADED, null, "mailbox", most);
        }
        long mostBytes = room.of(settings.mailboxBytes());
        long bytes = waitingBytes.addAndGet(task.bytes);
        if (bytes > mostBytes && bytes > task.bytes) {
            leave(task);
            return new TxnException(ErrorCode.COORDINATOR_OVERLOADED, null, "mailboxBytes", mostBytes);
        }
        return null;
    }

    private void leave(Task task) {
        waiting.decrementAndGet();
        waitingBytes.addAndGet(-task.bytes);
    }

    private static TxnException stopping() {
        return new TxnException(ErrorCode.COORDINATOR_STOPPING, null);
    }

    private void ended(
            CallLanes.Flight flight,
            Answer answer,
            @Nullable String detail,
            @Nullable RowData report,
            SagaHead.@Nullable Said said) {
        ends.add(() -> core.end(flight, answer, detail, report, said));
        wake();
    }

    private void wake() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        try {
            while (!closing) {
                boolean worked = turn();
                if (draining && isQuiet()) {
                    drained.complete(null);
                }
                if (!worked) {
                    sleep();
                }
            }
            finish();
        } catch (RuntimeException | Error e) {
            LOG.error(
                    "the engine stopped: this is a mistake in the coordinator, please report it; a restart continues from the journal",
                    e);
            healthy = false;
            closing = true;
            drained.complete(null);
            TxnException cause = new TxnException(ErrorCode.COORDINATOR_MISTAKE, e);
            core.stop(cause);
            failWaiting(cause);
        }
    }

    private boolean turn() {
        caller.together(core::release);
        worked = false;
        caller.together(this::work);
        core.flush();
        publishSizes();
        if (core.stopped() != null) {
            healthy = false;
        }
        return worked;
    }

    private void work() {
        Runnable end;
        for (int i = 0; i < BATCH && (end = ends.poll()) != null; i++) {
            end.run();
            worked = true;
        }
        takeArrivals();
        Caller left;
        while ((left = gone.poll()) != null) {
            core.closed(left);
        }
        if (draining) {
            core.refuseWaiters(); // they sit on rows of their databases
        }
        Task task;
        for (int i = 0; i < BATCH && core.acceptsCommands() && (task = mailbox.poll()) != null; i++) {
            leave(task);
            task.work.run();
            worked = true;
        }
        core.tick();
    }

    private void takeArrivals() {
        for (Iterator<String> all = arrivals.iterator(); all.hasNext(); ) {
            String resource = all.next();
            all.remove(); // first, so that whoever comes from here on is noticed
            core.resourceAvailable(resource);
        }
    }

    private void publishSizes() {
        Shard shard = core.shard();
        EngineFigures.Sizes now = new EngineFigures.Sizes(
                shard.size(),
                shard.active(),
                shard.unfinished(),
                shard.needingAttention(),
                shard.locks().size(),
                shard.keys().size(),
                shard.keys().bytes(),
                core.callsInFlight(),
                core.waiting());
        if (!now.equals(sizes)) {
            sizes = now;
        }
    }

    private void sleep() {
        long idle = core.idleMillis();
        if (idle == 0) {
            return;
        }
        asleep = true;
        boolean more = !ends.isEmpty()
                || !arrivals.isEmpty()
                || !gone.isEmpty()
                || (!mailbox.isEmpty() && core.acceptsCommands())
                || core.hasNews()
                || closing;
        if (!more) {
            if (idle == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(Math.min(idle, MAX_NAP_MILLIS)));
            }
        }
        asleep = false;
    }

    /**
     * Begins no more transactions, and serves everything else as before. The future completes when nothing waits, no branch call is under way and no
     * transaction is undecided, or when the engine cannot go on.
     */
    public CompletableFuture<Void> drain() {
        draining = true;
        wake();
        if (closing) {
            drained.complete(null);
        }
        return drained.copy();
    }

    private boolean isQuiet() {
        return core.stopped() != null || (mailbox.isEmpty() && ends.isEmpty() && arrivals.isEmpty() && core.isQuiet());
    }

    /** Tells those who wait for phase two what is decided, lets the journal finish what it has, answers everybody, and ends. */
    private void finish() {
        core.answerInitiators();
        core.refuseWaiters(); // while that can still be told as what it is
        journal.close();
        core.stop(stopping());
        failWaiting(stopping());
    }

    private void failWaiting(TxnException cause) {
        Task task;
        while ((task = mailbox.poll()) != null) {
            Task told = task;
            leave(told);
            EngineCore.letOut(() -> told.onFailure.accept(cause));
        }
    }

    /** Whether it serves. Not while the disk hangs; it may come back. */
    public boolean healthy() {
        return healthy && !closing && journal.statistics().writingNanos() < STALLED_NANOS;
    }

    /** Figures, as of the engine's last turn. */
    public EngineFigures figures() {
        return core.counters().figures(sizes, waiting.get());
    }

    /** Resource managers of these resources have registered: what waits for one is due. */
    public void resourcesAvailable(Collection<String> resources) {
        if (!resources.isEmpty()) {
            arrivals.addAll(resources);
            wake();
        }
    }

    /** A caller is gone: nothing waits for its sake any more. */
    public void closed(Caller caller) {
        gone.add(caller);
        wake();
    }

    /** What waits for the engine's thread past the mailbox. */
    int waitingPastTheMailbox() {
        return ends.size() + arrivals.size();
    }

    /** Stops taking commands, makes durable what was decided, answers everybody, closes the journal. When the disk hangs it does not wait for ever. */
    @Override
    public void close() {
        close(CLOSE_WAIT);
    }

    void close(Duration wait) {
        closing = true;
        drained.complete(null);
        asleep = false;
        LockSupport.unpark(thread);
        try {
            thread.join(wait.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            // It closes the journal itself, should it ever come so far; to wait for the same disk here would keep the
            // process from ending.
            LOG.error(
                    "the journal's last write does not end: stopping without it; what was not answered may or may not have happened");
        } else {
            journal.close();
        }
        failWaiting(stopping());
    }
}
