package io.txn.coordinator;

import io.txn.coordinator.access.Doorkeeper;
import io.txn.coordinator.engine.Engine;
import io.txn.coordinator.engine.EngineFigures;
import io.txn.coordinator.engine.EngineSettings;
import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.journal.Journal;
import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.journal.JournalStatistics;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.saga.HttpSteps;
import io.txn.coordinator.saga.HttpTargets;
import io.txn.coordinator.saga.StepKeys;
import io.txn.coordinator.seata.SeataAdapter;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.transport.RequestIds;
import io.txn.protocol.transport.RpcServer;
import io.txn.protocol.transport.ServerTls;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running coordinator. {@link #start} opens the journal, replays it, begins to drive what is owed, and listens; everything that was
 * acknowledged before is known when it returns. Thread-safe.
 *
 * <p>Futures complete on a thread of the coordinator: do not block in what depends on them. They fail with a {@link TxnException}:
 * {@code COORDINATOR_OVERLOADED}, {@code COORDINATOR_STOPPING}, or {@code JOURNAL_FAILED} once the journal cannot be written any more.
 */
public final class Coordinator implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);

    /** Snapshots replace the log before a replay takes seconds. */
    private static final long SNAPSHOT_RECORDS = 1_000_000;

    private static final long SNAPSHOT_BYTES = 256L << 20;

    private static final int POINTLESS_TIMERS = 4_096;

    private final Journal journal;
    private final Engine engine;
    private final SeataAdapter adapter;
    private final RpcServer server;
    private final @Nullable UndoLogCleaning cleaning;
    private final @Nullable AccessUpkeep upkeep;
    private final @Nullable ServerTls tls;
    private final String advertisedAddress;
    private final String domain;
    private final @Nullable HttpSteps steps;
    private final @Nullable StepKeys keys;

    private Coordinator(
            Journal journal,
            Engine engine,
            SeataAdapter adapter,
            RpcServer server,
            @Nullable UndoLogCleaning cleaning,
            @Nullable AccessUpkeep upkeep,
            @Nullable ServerTls tls,
            String advertisedAddress,
            String domain,
            @Nullable HttpSteps steps,
            @Nullable StepKeys keys) {
        this.steps = steps;
        this.keys = keys;
        this.domain = domain;
        this.journal = journal;
        this.engine = engine;
        this.adapter = adapter;
        this.server = server;
        this.cleaning = cleaning;
        this.upkeep = upkeep;
        this.tls = tls;
        this.advertisedAddress = advertisedAddress;
    }

    /**
     * Starts a coordinator and returns when it serves.
     *
     * @throws TxnException {@code BAD_CONFIGURATION}, {@code CREDENTIALS_UNUSABLE}, {@code DATA_DIR_IN_USE}, {@code DATA_DIR_UNUSABLE}, {@code JOURNAL_DAMAGED}, {@code JOURNAL_TOO_NEW},
     *     {@code EXPOSED_WITHOUT_CREDENTIALS} or {@code PORT_UNAVAILABLE}
     */
    public static Coordinator start(CoordinatorOptions options) {
        return start(options, InstantSource.system());
    }

    /** The same by another clock. */
    static Coordinator start(CoordinatorOptions options, InstantSource clock) {
        refuseExposure(options);
        // Before anything opens: what is wrong with it is wrong before the journal is looked at.
        Doorkeeper doorkeeper = new Doorkeeper(options.access(), options.tls() != null, clock);
        Journal journal = FileJournal.open(options.dataDir().resolve("journal"), FileJournalOptions.DEFAULTS);
        try {
            return start(options, journal, doorkeeper, clock);
        } catch (RuntimeException | Error e) {
            journal.close();
            throw e;
        }
    }

    private static Coordinator start(
            CoordinatorOptions options, Journal journal, Doorkeeper doorkeeper, InstantSource clock) {
        CoordinatorOptions.Limits limits = options.limits();
        SecureRandom chance = new SecureRandom();
        // The lock on the journal is held: nobody else makes one at this moment.
        String domain = DomainFile.readOrCreate(options.dataDir(), chance);
        SeataAdapter adapter = new SeataAdapter(
                options.retry().callTimeout(),
                new SeataAdapter.RequestLimits(
                        limits.textLength(),
                        limits.applicationDataLength(),
                        limits.locksPerBranch(),
                        limits.requestsPerConnection(),
                        limits.resourcesPerConnection()),
                doorkeeper,
                clock,
                domain,
                new RequestIds(chance.nextInt()),
                HttpTargets.of(options.sagas().targets()));
        StepKeys keys = options.sagas().targets().isEmpty() ? null : StepKeys.readOrCreate(options.dataDir(), chance);
        HttpSteps steps = keys == null
                ? null
                : new HttpSteps(
                        adapter.branchCaller(),
                        HttpTargets.of(options.sagas().targets()),
                        keys,
                        options.retry().callTimeout(),
                        options.sagas().connectTimeout());
        Engine engine = Engine.start(
                rules(options),
                settings(options),
                journal,
                clock,
                new SplittableRandom(chance.nextLong()),
                steps == null ? adapter.branchCaller() : steps);
        try {
            RpcServer server = RpcServer.bind(
                    options.host(),
                    options.tcpPort(),
                    options.transport(),
                    options.tls(),
                    options.registrationTimeout(),
                    adapter);
            String advertised = options.advertisedAddress() != null
                    ? options.advertisedAddress()
                    : options.host() + ':' + server.port();
            adapter.serve(engine, advertised);
            LOG.info(
                    "the coordinator serves listen={}:{} advertised={} dataDir={}",
                    options.host(),
                    server.port(),
                    advertised,
                    options.dataDir());
            UndoLogCleaning cleaning = UndoLogCleaning.start(options.undoLog(), engine, adapter, clock);
            AccessUpkeep upkeep = AccessUpkeep.start(doorkeeper, adapter);
            return new Coordinator(
                    journal, engine, adapter, server, cleaning, upkeep, options.tls(), advertised, domain, steps, keys);
        } catch (RuntimeException | Error e) {
            engine.close();
            if (steps != null) {
                steps.close();
            }
            throw e;
        }
    }

    private static void refuseExposure(CoordinatorOptions options) {
        boolean loopback;
        try {
            loopback = InetAddress.getByName(options.host()).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION, e, "key", "txn.coordinator.tcp.host", "value", options.host());
        }
        if (!loopback && !options.authenticates() && !options.allowUnauthenticated()) {
            throw new TxnException(
                    ErrorCode.EXPOSED_WITHOUT_CREDENTIALS,
                    null,
                    "key",
                    "txn.coordinator.tcp.host",
                    "address",
                    options.host());
        }
    }

    private static Rules rules(CoordinatorOptions options) {
        return new Rules(
                options.limits().transactions(),
                options.limits().branchesPerTransaction(),
                options.retry().maxAttempts(),
                options.retry().firstDelay().toMillis(),
                options.retry().maxDelay().toMillis(),
                Rules.XA_NOT_FOUND_MIN,
                new RequestKeys.Limits(
                        options.requestKeys().most(),
                        options.requestKeys().bytes(),
                        options.requestKeys().lifetime().toMillis()));
    }

    private static EngineSettings settings(CoordinatorOptions options) {
        return new EngineSettings(
                options.limits().mailbox(),
                options.limits().mailboxBytes(),
                options.limits().unwritten(),
                options.limits().callsInFlight(),
                options.retry().callTimeout().toMillis(),
                options.retry().initiatorWait().toMillis(),
                options.retention().time().toMillis(),
                options.retention().transactions(),
                options.restartGrace().toMillis(),
                SNAPSHOT_RECORDS,
                SNAPSHOT_BYTES,
                options.limits().lockWaiters(),
                options.limits().lockWaitersPerConnection(),
                POINTLESS_TIMERS);
    }

    /** The TCP port listened on. */
    public int tcpPort() {
        return server.port();
    }

    /** {@code host:port} under which clients reach this coordinator: the first part of every XID it makes. */
    public String advertisedAddress() {
        return advertisedAddress;
    }

    /**
     * The lock domain: the same for all doors to these row locks, and another one for every other coordinator. It is made with the data directory and stays with it.
     */
    public String domain() {
        return domain;
    }

    /** Whether it serves: false once the journal has failed or {@link #close} was called. */
    public boolean healthy() {
        return engine.healthy();
    }

    /** Whether the disk is full: nothing is begun until there is room, and what was begun can still be finished. */
    public boolean lowOnSpace() {
        return journal.state() == JournalState.LOW_ON_SPACE;
    }

    /** Lists transactions, unresolved and retained ones, oldest first. */
    public CompletableFuture<TransactionPage> transactions(TransactionQuery query) {
        return engine.read(shard -> Views.transactions(shard, query));
    }

    /** Shows one transaction with its branches. */
    public CompletableFuture<Optional<TransactionDetail>> transaction(Xid xid) {
        return engine.read(shard -> {
            GlobalTransaction transaction = shard.transaction(xid);
            return transaction == null ? Optional.empty() : Optional.of(Views.detail(shard, transaction));
        });
    }

    /** Lists global locks. */
    public CompletableFuture<LockPage> locks(LockQuery query) {
        return engine.read(shard -> Views.locks(shard, query));
    }

    /** Lists who waits for locked rows, whoever has waited longest first. */
    public CompletableFuture<LockWaitPage> lockWaits(LockWaitQuery query) {
        return engine.read(shard -> Views.lockWaits(shard, query));
    }

    /** Carries out an operator's command; durable when the future completes with {@link OperatorResult.Accepted}. */
    public CompletableFuture<OperatorResult> operate(OperatorCommand command) {
        CompletableFuture<OperatorResult> result = new CompletableFuture<>();
        engine.submit(command(command), reply -> complete(result, reply));
        return result.whenComplete((answer, failure) ->
                LOG.info("an operator's command={} result={}", command, failure == null ? answer : failure.toString()));
    }

    /**
     * Ends a step of a saga that said it was under way, for whoever is no client of ours. Durable when the future completes; said again it changes nothing, and the first answer counts.
     *
     * <p>Fails with SAGA_CORRELATION_UNKNOWN when there is no such step, BAD_REQUEST or SAGA_TOO_LARGE when the result cannot be kept.
     *
     * @param result JSON; null: none
     */
    public CompletableFuture<Void> completeStep(Xid xid, BranchId branch, @Nullable String result) {
        Map<String, String> checked = new HashMap<>();
        try {
            SagaHead.said(new SagaHead.Said(result, -1), checked);
        } catch (TxnException e) {
            return CompletableFuture.failedFuture(e);
        }
        return endStep(new Command.CompleteStep(xid, branch.value(), checked.get(SagaHead.RESULT), null));
    }

    /** The same for a step that failed: it had begun, so it is compensated like one that was done. */
    public CompletableFuture<Void> failStep(Xid xid, BranchId branch, String cause) {
        Map<String, String> shortened = new HashMap<>();
        SagaHead.failure(cause, shortened);
        return endStep(new Command.CompleteStep(xid, branch.value(), null, SagaHead.failure(shortened)));
    }

    /** Whether this key was given to whoever was called for that step, over HTTP: it may say what came of it. */
    public boolean isKeyOfStep(Xid xid, BranchId branch, String key) {
        return keys != null && keys.fits(xid.value() + '/' + branch.value(), key);
    }

    private CompletableFuture<Void> endStep(Command.CompleteStep command) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        engine.submit(command, reply -> {
            if (reply instanceof Reply.Reported) {
                done.complete(null);
            } else if (reply instanceof Reply.TransactionUnknown || reply instanceof Reply.BranchUnknown) {
                done.completeExceptionally(new TxnException(
                        ErrorCode.SAGA_CORRELATION_UNKNOWN,
                        null,
                        "correlationId",
                        command.xid().value() + '/' + command.branch()));
            } else if (reply instanceof Reply.Rejected rejected) {
                done.completeExceptionally(rejected.exception());
            } else {
                done.completeExceptionally(new AssertionError("no answer for " + reply));
            }
        });
        return done;
    }

    private static Command command(OperatorCommand command) {
        if (command instanceof OperatorCommand.RetryNow retry) {
            return new Command.RetryNow(retry.xid());
        } else if (command instanceof OperatorCommand.GiveUp giveUp) {
            return new Command.GiveUp(giveUp.xid(), giveUp.branchId().value(), giveUp.reason());
        } else if (command instanceof OperatorCommand.Decide decide) {
            return new Command.Decide(decide.xid(), decide.branchId().value(), decide.decision(), decide.reason());
        } else if (command instanceof OperatorCommand.Force force) {
            Outcome outcome =
                    switch (force.status()) {
                        case COMMITTED -> Outcome.COMMIT;
                        case ROLLED_BACK -> Outcome.ROLLBACK;
                    };
            return new Command.Force(force.xid(), outcome, force.reason());
        }
        throw new AssertionError("no command for " + command);
    }

    private static void complete(CompletableFuture<OperatorResult> result, Reply reply) {
        if (reply instanceof Reply.Accepted) {
            result.complete(new OperatorResult.Accepted());
        } else if (reply instanceof Reply.TransactionUnknown || reply instanceof Reply.BranchUnknown) {
            result.complete(new OperatorResult.NotFound());
        } else if (reply instanceof Reply.Unfit unfit) {
            result.complete(new OperatorResult.Refused(unfit.why()));
        } else if (reply instanceof Reply.Rejected rejected) {
            result.completeExceptionally(rejected.exception());
        } else {
            result.completeExceptionally(new AssertionError("no result for " + reply));
        }
    }

    /** Figures since the start. */
    public CoordinatorStatistics statistics() {
        EngineFigures figures = engine.figures();
        EngineFigures.Sizes sizes = figures.sizes();
        JournalStatistics written = journal.statistics();
        return new CoordinatorStatistics(
                sizes.transactions(),
                sizes.active(),
                sizes.unfinished(),
                sizes.needingAttention(),
                sizes.locks(),
                sizes.requestKeys(),
                sizes.requestKeyBytes(),
                figures.begun(),
                figures.committed(),
                figures.rolledBack(),
                figures.timedOut(),
                figures.branchesRegistered(),
                figures.lockConflicts(),
                sizes.waiting(),
                figures.waits().granted(),
                figures.waits().grantedMillis(),
                figures.waits().deadlocks(),
                figures.waits().over(),
                sizes.callsInFlight(),
                figures.callsFailed(),
                figures.mailbox(),
                adapter.sessions(),
                adapter.refusedRegistrations(),
                server.refused(),
                written.records(),
                written.bytes(),
                written.fsyncs(),
                written.fsyncNanos());
    }

    /**
     * To be called when keys or trust have changed: from here on connections whose client certificate is not trusted any more are closed. New connections
     * use what the supplier in the options gives, without this.
     */
    public void trustChanged() {
        if (tls != null) {
            adapter.renew(tls.context().get().trust());
        }
    }

    /**
     * Prepares a stop: begins no more global transactions (TXN-CRD014), serves everything else, and waits until no request waits, no branch call is
     * under way and no transaction is undecided, or until {@code wait} has passed. {@link #close} it then.
     *
     * @return whether nothing is left that a stop would hold up
     */
    public boolean drain(Duration wait) {
        if (cleaning != null) {
            cleaning.close();
        }
        try {
            engine.drain().get(wait.toNanos(), TimeUnit.NANOSECONDS);
            LOG.info("nothing is under way any more");
            return true;
        } catch (TimeoutException | ExecutionException e) {
            CoordinatorStatistics left = statistics();
            LOG.warn(
                    "stopping with work left, which goes on at the next start waited={} active={} unfinished={} callsInFlight={}",
                    wait,
                    left.active(),
                    left.unfinished(),
                    left.callsInFlight());
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Stops serving at once. What was decided and not carried out yet goes on at the next start. */
    @Override
    public void close() {
        if (cleaning != null) {
            cleaning.close();
        }
        if (upkeep != null) {
            upkeep.close();
        }
        adapter.stop();
        // The engine first: what it made durable is answered while the connections are still there.
        engine.close();
        if (steps != null) {
            steps.close();
        }
        server.close();
    }
}
