package io.txn.client;

import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RollbackCause;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs work in a global transaction. Thread-safe.
 *
 * <p>Only the scope that opened a transaction decides about it; scopes inside it just work in it. An exception that leaves one of them marks the transaction:
 * should somebody catch it on its way to the opener, it is rolled back all the same, unless the opener's options say otherwise. An exception that rolls back
 * is rethrown as it is, and what went wrong with the rollback is attached to it as suppressed.
 */
public final class GlobalTransactionTemplate {

    private static final Logger log = LoggerFactory.getLogger(GlobalTransactionTemplate.class);

    /** How many outcomes are attached to one exception: some applications throw one and the same again and again. */
    private static final int MOST_ATTACHED = 8;

    /** The coordinator had decided otherwise, and may still be at it. */
    private static final Set<ErrorCode> ROLLED_BACK_INSTEAD =
            Set.of(ErrorCode.TRANSACTION_TIMED_OUT, ErrorCode.COMMIT_REFUSED, ErrorCode.ROLLED_BACK_ONLY);

    /** How long a participant's answer waits for its children when nobody told it the deadline. */
    private static final Duration UNKNOWN_DEADLINE = Duration.parse(GlobalTransactionOptions.TIMEOUT);

    private final String application;
    private final boolean causeMessages;
    private final ContextCarrier contexts;
    private final TransactionManager manager;
    private final BooleanSupplier inLocalTransaction;
    private final Hooks hooks = new Hooks();
    private final LaunchedTransactions launched = new LaunchedTransactions();
    private final LateMarks late;
    private final PhaseTwoWatch watch;

    GlobalTransactionTemplate(
            String application,
            boolean causeMessages,
            ContextCarrier contexts,
            TransactionManager manager,
            BooleanSupplier inLocalTransaction) {
        this.application = application;
        this.causeMessages = causeMessages;
        this.contexts = contexts;
        this.manager = manager;
        this.inLocalTransaction = inLocalTransaction;
        this.late = new LateMarks(manager.clock());
        this.watch = new PhaseTwoWatch(manager.clock());
        contexts.whenTasksFail(this::failed);
    }

    /** What is to be done in a transaction. */
    @FunctionalInterface
    public interface Callback<T extends @Nullable Object> {
        T run() throws Throwable;
    }

    /** From now on the hook is told how all transactions go that this process opens. */
    public void addHook(GlobalTransactionHook hook) {
        hooks.add(hook);
    }

    /** From now on the handler is told of transactions that did not simply end. */
    public void addFailureHandler(FailureHandler handler) {
        hooks.add(handler);
    }

    /**
     * The hook is told how the transaction goes that is bound to the calling thread.
     *
     * @throws TxnException PROPAGATION_VIOLATED where none is bound, or one that another process opened and ends
     */
    public void hook(GlobalTransactionHook hook) {
        TransactionContext context = contexts.current();
        if (context == null || context.role() != TransactionContext.Role.LAUNCHER) {
            throw new TxnException(
                    ErrorCode.PROPAGATION_VIOLATED,
                    null,
                    "problem",
                    "a hook needs a transaction that this process opened",
                    "xid",
                    context == null ? null : context.xidWithin());
        }
        context.participation().hooks().add(hook);
    }

    /** Before anything is done, or when all is: who is told may not want it. */
    @SuppressWarnings("try") // the scope is opened for its closing
    private void unlessVetoed(
            Consumer<TransactionContext> told,
            TransactionContext own,
            GlobalTransactionOptions options,
            Instant began,
            Ending ending) {
        try (ContextCarrier.Scope scope = contexts.bind(own)) {
            told.accept(own);
        } catch (RuntimeException | Error veto) {
            String why = Failures.text(application + ' ' + options.name(), veto, causeMessages);
            rollback(own, options, began, veto, why, null, ending);
            throw veto;
        }
    }

    /** What is done by own hand stays so, whoever is called meanwhile. */
    private static TransactionContext as(GlobalTransactionOptions options, TransactionContext context) {
        TransactionContext isolated = context.withIsolation(options.isolation());
        boolean asIs = options.mode() == WorkMode.AS_CONFIGURED || context.mode() == WorkMode.OWN;
        return asIs ? isolated : isolated.withMode(options.mode());
    }

    /** Whether work under these options would open a transaction, here and now. */
    public boolean opens(GlobalTransactionOptions options) {
        return switch (options.propagation()) {
            case REQUIRES_NEW -> true;
            case REQUIRED -> contexts.current() == null;
            case SUPPORTS, NOT_SUPPORTED, MANDATORY, NEVER -> false;
        };
    }

    /**
     * Runs {@code work} as the options say.
     *
     * @return what {@code work} returned; if this call opened the transaction, the decision to commit it is durable. With an idempotency key, what it returned for
     *     the first request of that key
     * @throws Throwable what {@code work} threw, untouched; or a {@link TxnException}: {@link ErrorCode#BEGIN_FAILED},
     *     {@link ErrorCode#PROPAGATION_VIOLATED} and {@link ErrorCode#LOCAL_TRANSACTION_OPEN} before anything ran, {@link ErrorCode#TRANSACTION_TIMED_OUT},
     *     {@link ErrorCode#ROLLED_BACK_ONLY}, {@link ErrorCode#COMMIT_REFUSED}, {@link ErrorCode#TRANSACTION_NOT_FOUND} when it was not committed,
     *     {@link ErrorCode#WORK_UNFINISHED} and {@link ErrorCode#RESULT_NOT_STORABLE} likewise; {@link ErrorCode#REPEATED_FAILURE}, {@link ErrorCode#DUPLICATE_REQUEST} and
     *     {@link ErrorCode#RESULT_NOT_KEPT} instead of running a repeated request; {@link ErrorCode#COMMIT_INCOMPLETE} when it was and a person has to act, {@link ErrorCode#OUTCOME_UNKNOWN}
     */
    public <T extends @Nullable Object> T execute(GlobalTransactionOptions options, Callback<T> work) throws Throwable {
        TransactionContext surrounding = contexts.current();
        boolean opensNew = opens(options);
        boolean suspends = options.propagation() == Propagation.NOT_SUPPORTED && surrounding != null;
        if ((opensNew || suspends) && inLocalTransaction.getAsBoolean()) {
            throw inLocal(options, surrounding);
        }
        if (opensNew) {
            return inNew(options, work);
        }
        return switch (options.propagation()) {
            case REQUIRED, SUPPORTS -> joined(options, surrounding, work);
            case REQUIRES_NEW -> throw new AssertionError("opens a new one");
            case NOT_SUPPORTED -> suspended(work);
            case MANDATORY -> {
                if (surrounding == null) {
                    throw violated(options, null);
                }
                yield joined(options, surrounding, work);
            }
            case NEVER -> {
                if (surrounding != null) {
                    throw violated(options, surrounding);
                }
                yield work.run();
            }
        };
    }

    @SuppressWarnings("try") // the scope is opened for its closing
    private <T extends @Nullable Object> T joined(
            GlobalTransactionOptions options, @Nullable TransactionContext surrounding, Callback<T> work)
            throws Throwable {
        if (surrounding == null) {
            return work.run();
        }
        try (ContextCarrier.Scope scope = contexts.bind(join(options, surrounding))) {
            return work.run();
        } catch (Throwable failure) {
            left(options, surrounding, failure);
            throw failure;
        }
    }

    private static TransactionContext join(GlobalTransactionOptions options, TransactionContext surrounding) {
        if (surrounding.role() == TransactionContext.Role.PARTICIPANT
                && options.onUnfinished() == OnUnfinished.REFUSE) {
            surrounding.participation().onUnfinished(OnUnfinished.REFUSE);
        }
        return as(options, surrounding);
    }

    /**
     * The transaction that work under these options, which {@link #opens(GlobalTransactionOptions) opens} none, belongs to here and now: for work whose result comes
     * later. Should it fail, {@link #left} is to be told. Does not block.
     *
     * @return null when it belongs to none
     * @throws TxnException as {@link #execute} does before anything ran
     */
    public @Nullable TransactionContext joins(GlobalTransactionOptions options) {
        TransactionContext surrounding = contexts.current();
        return switch (options.propagation()) {
            case REQUIRED, SUPPORTS, MANDATORY -> {
                if (surrounding != null) {
                    yield join(options, surrounding);
                }
                if (options.propagation() == Propagation.SUPPORTS) {
                    yield null;
                }
                throw violated(options, null);
            }
            case NOT_SUPPORTED -> {
                if (surrounding != null && inLocalTransaction.getAsBoolean()) {
                    throw inLocal(options, surrounding);
                }
                yield null;
            }
            case NEVER -> {
                if (surrounding != null) {
                    throw violated(options, surrounding);
                }
                yield null;
            }
            case REQUIRES_NEW -> throw new AssertionError("opens a new one");
        };
    }

    /** An exception leaves work that had joined: the transaction is marked, unless the options spare the exception. Blocks on the network in a participant. */
    public void left(GlobalTransactionOptions options, TransactionContext joined, Throwable failure) {
        if (options.rules().rollsBack(failure)) {
            mark(joined, options.name(), failure);
        }
    }

    /**
     * An exception leaves what this process does for a transaction that another one opened. If something was kept here or further down, or is before the answer leaves by what was
     * handed to other threads, the transaction is marked: it may only be rolled back, whoever catches the exception. What kept nothing may be tried again by whoever called. Blocks
     * on the network.
     *
     * @param entry what it leaves, for people: {@code OrderController.create}
     */
    public void failed(TransactionContext context, String entry, Throwable failure) {
        context.participation()
                .failed(Failures.text(application + ' ' + entry, failure, causeMessages), Failures.isPassing(failure));
        tell(context);
    }

    /**
     * Nobody hears of an exception but a log, and what it left had kept nothing. If the local transaction around that is committed all the same, with something that was written since,
     * the transaction is marked.
     *
     * @param before {@link Participation#writes()} when it began
     * @param entry what it leaves, for people
     */
    public void failedUnheard(TransactionContext context, long before, String entry, Throwable failure) {
        context.participation()
                .failedSince(
                        before,
                        Failures.text(application + ' ' + entry, failure, causeMessages),
                        Failures.isPassing(failure));
    }

    /**
     * The answer of what this process does for a transaction that another one opened is about to leave: whoever gets it may commit. Waits for the work that was handed to
     * other threads here until the deadline, or not at all where {@code onUnfinished} says so; what is unfinished then marks the transaction. Blocks, if
     * {@link Participation#hasChildren()} or {@link Participation#hasNews()}: a call that it made may have been marked, which the coordinator is told then.
     *
     * @param entry what is answered, for people: {@code POST /orders}
     */
    public void answers(TransactionContext context, String entry) {
        context.participation().awaitChildren(answerWait(context));
        answersNow(context, entry);
    }

    /** How long the answer may wait for work on other threads: not at all where there is none, or where {@code onUnfinished} says so. */
    public Duration answerWait(TransactionContext context) {
        Participation participation = context.participation();
        return participation.hasChildren() && participation.onUnfinished() == OnUnfinished.WAIT
                ? left(context, UNKNOWN_DEADLINE)
                : Duration.ZERO;
    }

    /** Like {@link #answers}, for whoever has waited in another way: what is unfinished marks the transaction. Blocks on the network. */
    public void answersNow(TransactionContext context, String entry) {
        int unfinished = context.participation().children();
        if (unfinished > 0) {
            context.participation()
                    .mark(application + ' ' + entry + ": answered while " + unfinished
                            + " tasks of it ran on other threads");
        }
        tell(context);
    }

    private void mark(TransactionContext context, String entry, Throwable failure) {
        context.participation()
                .mark(Failures.text(application + ' ' + entry, failure, causeMessages), Failures.isPassing(failure));
        tell(context);
    }

    /** An opener decides for itself; of a participant's mark, its own or that of a call it made, the coordinator is told once. */
    private void tell(TransactionContext context) {
        Participation participation = context.participation();
        if (context.role() == TransactionContext.Role.PARTICIPANT
                && !told(context, participation.isToldLater())
                && participation.toldLater()) {
            late.tell(manager.clock().instant().plus(left(context, UNKNOWN_DEADLINE)), () -> told(context, true));
        }
    }

    private boolean told(TransactionContext context, boolean again) {
        String mark = context.participation().mark();
        if (mark == null || !context.participation().hasNews()) {
            return true;
        }
        boolean told = manager.mark(context.xidWithin(), mark, again);
        if (told) {
            context.participation().told();
        }
        return told;
    }

    @SuppressWarnings("try") // the scope is opened for its closing
    private <T extends @Nullable Object> T suspended(Callback<T> work) throws Throwable {
        leaveForAWhile();
        try (ContextCarrier.Scope none = contexts.suspend()) {
            return work.run();
        }
    }

    private <T extends @Nullable Object> T inNew(GlobalTransactionOptions options, Callback<T> work) throws Throwable {
        // What is under way may go on to open another one while this process stops: else it could not end.
        if (!launched.enter(contexts.current() != null)) {
            throw new TxnException(
                    ErrorCode.BEGIN_FAILED, null, "name", options.name(), "reason", "this application is stopping");
        }
        TxnObserver.Span span = manager.observer().begin(new Work.GlobalTransaction(options.name()));
        Ending ending = new Ending();
        try {
            leaveForAWhile();
            return launch(options, work, span, ending);
        } catch (Throwable failure) {
            span.failed(failure);
            throw failure;
        } finally {
            span.outcome(ending.outcome);
            span.close();
            launched.leave();
        }
    }

    /** A connection that is held for the surrounding transaction must not be what the work inside waits for. */
    private void leaveForAWhile() {
        TransactionContext surrounding = contexts.current();
        if (surrounding != null) {
            manager.prepareHeld(surrounding.xidWithin());
        }
    }

    /** What became of one transaction, said by whoever asked the coordinator for it: the exception that the caller gets may be another transaction's. For one thread. */
    private static final class Ending {

        private String outcome = "not_begun";

        void repeated() {
            outcome = "repeated";
        }

        /** Nobody decided, or nobody heard. */
        void unknown() {
            outcome = "unknown";
        }

        void committed() {
            outcome = "committed";
        }

        void rolledBack() {
            outcome = "rolled_back";
        }

        /** The coordinator answered the request for a commit with this. */
        void notSimplyCommitted(ErrorCode answer) {
            switch (answer) {
                case COMMIT_INCOMPLETE -> committed();
                case TRANSACTION_TIMED_OUT, COMMIT_REFUSED, ROLLED_BACK_ONLY, TRANSACTION_NOT_FOUND -> rolledBack();
                default -> unknown();
            }
        }
    }

    /** Begins no more, and waits until those begun here have ended; false when some had not within {@code wait}. */
    boolean drain(Duration wait) {
        return launched.drain(wait);
    }

    /** Tells nobody anything any more. */
    void close() {
        late.close();
        watch.close();
    }

    @SuppressWarnings({"try", "unchecked", "NullAway"
    }) // the scope is opened for its closing; a stored result is what the method declares
    private <T extends @Nullable Object> T launch(
            GlobalTransactionOptions options, Callback<T> work, TxnObserver.Span span, Ending ending) throws Throwable {
        hooks.beforeBegin(options.name());
        Instant began = manager.clock().instant();
        IdempotencyKey key = options.idempotencyKey();
        TransactionContext opened;
        if (key == null) {
            opened = manager.begin(options.name(), options.timeout());
        } else {
            TransactionManager.Opened once = manager.begin(options.name(), options.timeout(), key);
            if (once.context() == null) {
                ending.repeated();
                return (T) Repeated.outcome(options.name(), key, Objects.requireNonNull(once.first()));
            }
            opened = once.context();
        }
        TransactionContext own = as(options, opened);
        span.xid(own.xidWithin());
        ending.unknown();
        unlessVetoed(hooks::afterBegin, own, options, began, ending);
        T result;
        try (ContextCarrier.Scope scope = contexts.bind(own)) {
            result = work.run();
        } catch (Throwable failure) {
            endAfter(failure, own, options, began, ending);
            throw failure;
        }
        RequestKey.Answer answer = null;
        if (key != null) {
            try {
                answer = Repeated.answer(options.name(), key, result);
            } catch (Throwable unstorable) {
                String why = Failures.text(application + ' ' + options.name(), unstorable, causeMessages);
                rollback(own, options, began, unstorable, why, null, ending);
                throw unstorable;
            }
        }
        commit(own, options, began, answer, ending);
        return result;
    }

    private void commit(
            TransactionContext own,
            GlobalTransactionOptions options,
            Instant began,
            RequestKey.@Nullable Answer answer,
            Ending ending) {
        unlessVetoed(hooks::beforeCommit, own, options, began, ending);
        boolean waits = options.onUnfinished() == OnUnfinished.WAIT;
        int unfinished = waits ? awaitChildren(own) : own.participation().children();
        Instant now = manager.clock().instant();
        String mark = own.participation().mark();
        if (mark != null && options.onSwallowed() == OnSwallowed.ROLLBACK) {
            TxnException swallowed = new TxnException(
                    ErrorCode.ROLLED_BACK_ONLY, null, "xid", own.xidWithin(), "name", options.name(), "failure", mark);
            boolean passing = own.participation().isMarkPassing();
            rollback(own, options, began, swallowed, mark, passing ? null : RequestKey.Answer.failure(mark), ending);
            throw swallowed;
        }
        if (!waits && unfinished > 0) {
            TxnException running = new TxnException(
                    ErrorCode.WORK_UNFINISHED,
                    null,
                    "xid",
                    own.xidWithin(),
                    "name",
                    options.name(),
                    "unfinishedTasks",
                    unfinished);
            rollback(
                    own,
                    options,
                    began,
                    running,
                    unfinished + " tasks of it ran on other threads at its end",
                    null,
                    ending);
            throw running;
        }
        if (own.expired(now) || unfinished > 0) {
            // The coordinator has rolled it back or is about to: asking for a commit could only lose, or win by a
            // clock's error.
            TxnException late = new TxnException(
                    ErrorCode.TRANSACTION_TIMED_OUT,
                    null,
                    "xid",
                    own.xidWithin(),
                    "name",
                    options.name(),
                    "timeout",
                    options.timeout(),
                    "unfinishedTasks",
                    unfinished == 0 ? null : unfinished);
            rollback(own, options, began, late, "the time was over before the commit", null, ending);
            throw late;
        }
        try {
            boolean over = manager.commit(own.xidWithin(), options.onSwallowed(), answer);
            ending.committed();
            hooks.committed(own);
            if (!over) {
                watch(own);
            }
            if (mark != null && options.onSwallowed() == OnSwallowed.WARN) {
                log.warn(
                        "committed although work for it had failed, as onSwallowed wants it xid={} name={} failure={}",
                        own.xidWithin(),
                        options.name(),
                        mark);
            }
        } catch (TxnException e) {
            if (e.code() == ErrorCode.HELD_WORK_FAILED) {
                String why = Failures.text(application + ' ' + options.name(), e, causeMessages);
                rollback(own, options, began, e, why, null, ending);
                throw e;
            }
            ending.notSimplyCommitted(e.code());
            hooks.notSimplyCommitted(own, e);
            if (ROLLED_BACK_INSTEAD.contains(e.code())) {
                watch(own);
            }
            log.info("not simply committed: {} name={} elapsed={}", e.getMessage(), options.name(), elapsed(began));
            throw e;
        }
    }

    /** Somebody wants to hear when a person is needed, and the second phase goes on behind the caller's back. */
    private void watch(TransactionContext own) {
        if (hooks.hasHandlers()) {
            watch.add(own, () -> {
                try {
                    return manager.isCarriedOut(own.xidWithin());
                } catch (TxnException e) {
                    if (e.code() != ErrorCode.COMMIT_INCOMPLETE && e.code() != ErrorCode.ROLLBACK_FAILED) {
                        throw e;
                    }
                    hooks.needsAttention(own, e);
                    return true;
                }
            });
        }
    }

    /** What was handed to other threads belongs to the transaction: how many of it is not over at the deadline. */
    private int awaitChildren(TransactionContext own) {
        return own.participation().awaitChildren(left(own, Duration.ZERO));
    }

    private Duration left(TransactionContext context, Duration unknown) {
        Instant deadline = context.deadline();
        Duration left =
                deadline == null ? unknown : Duration.between(manager.clock().instant(), deadline);
        return left.isNegative() ? Duration.ZERO : left;
    }

    private void endAfter(
            Throwable failure, TransactionContext own, GlobalTransactionOptions options, Instant began, Ending ending) {
        String why = Failures.text(application + ' ' + options.name(), failure, causeMessages);
        RequestKey.Answer answer =
                options.idempotencyKey() == null || Failures.isPassing(failure) ? null : RequestKey.Answer.failure(why);
        if (options.rules().rollsBack(failure)) {
            // What came too late ends like what the deadline decided: it may come again.
            boolean late = own.expired(manager.clock().instant());
            rollback(own, options, began, failure, why, late ? null : answer, ending);
            return;
        }
        try {
            commit(own, options, began, answer, ending);
        } catch (TxnException e) {
            // Whoever sees the spared exception would take the work as done, so the failed commit is what they must
            // see.
            e.addSuppressed(failure);
            throw e;
        }
    }

    /**
     * @param cause what the caller gets
     * @param answer what a repeated request of its key is told; null when it may run
     */
    private void rollback(
            TransactionContext own,
            GlobalTransactionOptions options,
            Instant began,
            Throwable cause,
            String why,
            RequestKey.@Nullable Answer answer,
            Ending ending) {
        String mark = own.participation().mark();
        String slowest = own.participation().slowest();
        String first = mark == null ? why : mark;
        String elapsed = " [" + elapsed(began).toMillis() + " ms of "
                + options.timeout().toMillis() + " ms" + (slowest == null ? "" : "; slowest: " + slowest) + ']';
        hooks.beforeRollback(own, cause);
        try {
            boolean over = manager.rollback(own.xidWithin(), RollbackCause.brief(first, elapsed), answer);
            ending.rolledBack();
            hooks.rolledBack(own);
            if (!over) {
                watch(own);
            }
            if (!(cause instanceof TxnException told && told.facts().containsValue(own.xidWithin()))) {
                attach(
                        cause,
                        new TxnException(
                                ErrorCode.ROLLED_BACK,
                                null,
                                "xid",
                                own.xidWithin(),
                                "name",
                                options.name(),
                                "elapsed",
                                elapsed(began),
                                "timeout",
                                options.timeout(),
                                "slowest",
                                slowest,
                                "pending",
                                over ? null : "not every branch is undone yet; the coordinator goes on until it is",
                                "failure",
                                mark));
            }
            log.info(
                    "rolled back{} xid={} name={} elapsed={} cause={}",
                    over ? "" : ", and not every branch is undone yet",
                    own.xidWithin(),
                    options.name(),
                    elapsed(began),
                    cause.getClass().getName());
        } catch (TxnException problem) {
            hooks.rollbackNotConfirmed(own, problem);
            log.warn(
                    "rollback not confirmed xid={} name={} elapsed={} cause={}: {}",
                    own.xidWithin(),
                    options.name(),
                    elapsed(began),
                    cause.getClass().getName(),
                    problem.getMessage());
            attach(cause, problem);
        }
    }

    /** What became of the transaction, for those who look into the exception that their caller gets. */
    private static void attach(Throwable cause, TxnException outcome) {
        if (outcome != cause && cause.getSuppressed().length < MOST_ATTACHED) {
            cause.addSuppressed(outcome);
        }
    }

    private Duration elapsed(Instant began) {
        return Duration.between(began, manager.clock().instant());
    }

    private static TxnException inLocal(GlobalTransactionOptions options, @Nullable TransactionContext surrounding) {
        return new TxnException(
                ErrorCode.LOCAL_TRANSACTION_OPEN,
                null,
                "name",
                options.name(),
                "propagation",
                options.propagation(),
                "xid",
                surrounding == null ? null : surrounding.xidWithin());
    }

    private static TxnException violated(GlobalTransactionOptions options, @Nullable TransactionContext surrounding) {
        return new TxnException(
                ErrorCode.PROPAGATION_VIOLATED,
                null,
                "name",
                options.name(),
                "propagation",
                options.propagation(),
                "xid",
                surrounding == null ? null : surrounding.xidWithin());
    }
}
