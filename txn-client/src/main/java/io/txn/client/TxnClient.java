package io.txn.client;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.rm.BranchWorkers;
import io.txn.client.rm.CoordinatedResourceManager;
import io.txn.client.rm.ResourceManager;
import io.txn.client.rm.Resources;
import io.txn.client.rpc.ConnectionOptions;
import io.txn.client.rpc.CoordinatorState;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.FirstContact;
import io.txn.client.rpc.Pause;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process's part in global transactions: connections to coordinators, the scope of transactions, and the resources whose branches are
 * finished here. Thread-safe. One for each application context; several in one process do not see each other.
 */
public final class TxnClient implements AutoCloseable {

    /** How long one that was launched late puts its connections off. */
    static final Duration LATEST = Duration.ofSeconds(5);

    private static final Logger log = LoggerFactory.getLogger(TxnClient.class);

    private final ContextCarrier contexts;
    private final CoordinatorLocator locator;
    private final Coordinators coordinators;
    private final BranchWorkers workers;
    private final ResourceManager resources;
    private final GlobalTransactionTemplate transactions;
    private final SagaCalls sagas;
    private final boolean failFast;
    private final Duration startWait;
    private final Duration connectWait;
    private final Duration shutdownTimeout;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Null where the connections themselves are waited for. */
    private volatile @Nullable FirstContact firstContact;

    /** Whether it need not be waited for a first coordinator any more. */
    private volatile boolean started;

    private TxnClient(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction,
            InstantSource clock,
            RandomGenerator random,
            Pause pause) {
        this.contexts = contexts;
        this.locator = locator;
        this.failFast = options.failFast();
        this.startWait = options.startWait();
        this.connectWait = options.connectWait();
        this.started = !failFast;
        this.shutdownTimeout = options.shutdownTimeout();
        Resources known = new Resources();
        this.workers = new BranchWorkers(known, options.branchWorkers(), options.branchQueue(), options.observer());
        this.coordinators = new Coordinators(
                new ConnectionOptions(
                        options.applicationId(),
                        options.serviceGroup(),
                        options.requestTimeout(),
                        options.connectWait(),
                        options.reconnect(),
                        options.transport(),
                        options.tls(),
                        options.credentials(),
                        options.observer()),
                locator,
                known::ids,
                workers,
                clock,
                random);
        this.resources = new CoordinatedResourceManager(coordinators, known, workers, clock, random, pause);
        TransactionManager manager = new TransactionManager(
                coordinators,
                options.requestTimeout(),
                options.connectWait(),
                this::beginWait,
                options.decisionWait(),
                clock,
                random,
                pause);
        this.transactions = new GlobalTransactionTemplate(
                options.applicationId(), options.causeMessages(), contexts, manager, inLocalTransaction);
        this.sagas = new SagaCalls(coordinators, manager, options.requestTimeout(), options.connectWait(), clock);
    }

    /**
     * Starts a client that finds coordinators by {@code locator}, which it closes when it is closed.
     *
     * @throws TxnException when the options say to fail fast: {@link ErrorCode#NO_COORDINATOR} with each address and why it could not be reached,
     *     or, when coordinators are there and refuse, the code that says why; the client and the locator are closed then
     */
    public static TxnClient start(TxnClientOptions options, CoordinatorLocator locator) {
        return start(options, locator, new ContextCarrier(), () -> false);
    }

    /**
     * The same for a surrounding framework.
     *
     * @param contexts a carrier made earlier, for wiring that needs it before the client can start
     * @param inLocalTransaction whether the calling thread has a local transaction open, so that no global one begins in its middle
     */
    public static TxnClient start(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction) {
        return start(options, locator, contexts, inLocalTransaction, InstantSource.system(), new Random(), Pause.REAL);
    }

    static TxnClient start(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction,
            InstantSource clock,
            RandomGenerator random,
            Pause pause) {
        TxnClient client = launch(options, locator, contexts, inLocalTransaction, clock, random, pause);
        client.awaitStarted();
        return client;
    }

    /**
     * The same for one who has other things to do while it connects, and calls {@link #awaitStarted()} before it relies on it. What begins a transaction before that waits as long for
     * the first coordinator as the start does.
     */
    public static TxnClient launch(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction) {
        return launch(options, locator, contexts, inLocalTransaction, InstantSource.system(), new Random(), Pause.REAL);
    }

    /**
     * The same for one who has better things to do first: nothing is loaded for connections before somebody needs one, or {@link #connect()} says so. Meanwhile the first coordinator is asked
     * over a plain socket whether it takes this process, if the options say to fail fast; {@link #awaitStarted()} is content with a yes. After 5 s, or when there is no yes, it connects in any
     * case: the surrounding start may wait for rows that branches of an earlier run keep, and those are ended over connections.
     */
    public static TxnClient launchLate(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction) {
        TxnClient client = new TxnClient(
                options, locator, contexts, inLocalTransaction, InstantSource.system(), new Random(), Pause.REAL);
        client.coordinators.startWithin(LATEST);
        if (client.failFast) {
            client.firstContact = client.coordinators.firstContact();
        }
        return client;
    }

    private static TxnClient launch(
            TxnClientOptions options,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            BooleanSupplier inLocalTransaction,
            InstantSource clock,
            RandomGenerator random,
            Pause pause) {
        TxnClient client = new TxnClient(options, locator, contexts, inLocalTransaction, clock, random, pause);
        client.coordinators.start();
        log.debug("started application={} coordinators by {}", options.applicationId(), locator.description());
        return client;
    }

    /**
     * Waits for a coordinator where the options say to fail fast: for a connection, or after {@link #launchLate} for the word of one that it takes this process. Returns at once where they do
     * not.
     *
     * @throws TxnException as {@link #start} does; the client and the locator are closed then
     */
    public void awaitStarted() {
        if (!failFast) {
            return;
        }
        FirstContact contact = firstContact;
        long begun = System.nanoTime();
        try {
            // Half of the time is for the connections, which can tell why there are none.
            if (contact == null || !contact.accepted(startWait.dividedBy(2))) {
                Duration left = startWait.minusNanos(System.nanoTime() - begun);
                coordinators.awaitLive(left.isNegative() ? Duration.ZERO : left);
            }
            started = true;
        } catch (TxnException e) {
            close();
            throw e;
        }
    }

    /** Begins to connect to every coordinator, if nobody has begun that yet. Returns at once. */
    public void connect() {
        coordinators.start();
    }

    /** While beans are made some begin transactions already, and the coordinator may be starting as well. */
    private Duration beginWait() {
        return started || startWait.compareTo(connectWait) < 0 ? connectWait : startWait;
    }

    /** What is bound to threads. */
    public ContextCarrier contexts() {
        return contexts;
    }

    /** Opens and ends global transactions. */
    public GlobalTransactionTemplate transactions() {
        return transactions;
    }

    /** Starts sagas, asks how far they are, and completes their steps. */
    public SagaCalls sagas() {
        return sagas;
    }

    /** Runs work outside global transactions that keeps off their rows. */
    public GlobalLockTemplate globalLocks() {
        return new GlobalLockTemplate(contexts);
    }

    /** Registers resources and branches. */
    public ResourceManager resources() {
        return resources;
    }

    /** How it stands with each coordinator that is known, for people. */
    public List<CoordinatorState> coordinatorStates() {
        return coordinators.states();
    }

    /** Says where coordinators are. */
    public CoordinatorLocator locator() {
        return locator;
    }

    /** Waits until a coordinator is connected; false when none is by then, or when all that are listed refuse. */
    public boolean awaitConnected(Duration wait) {
        try {
            coordinators.awaitLive(wait);
            return true;
        } catch (TxnException e) {
            return false;
        }
    }

    /** Whether a coordinator is connected now. */
    public boolean connected() {
        return coordinators.live();
    }

    /**
     * Begins no more global transactions, lets those that this process launched and the branch calls that run come to their end within the shutdown
     * timeout, then closes every connection and the locator. What is not finished by then the coordinator finishes, here or elsewhere.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        long start = System.nanoTime();
        if (!transactions.drain(shutdownTimeout)) {
            log.warn(
                    "global transactions are still running, and the connections are closed under them; the coordinator decides them at their "
                            + "deadline waited={}",
                    shutdownTimeout);
        }
        Duration left = shutdownTimeout.minusNanos(System.nanoTime() - start);
        transactions.close();
        workers.close(left.isNegative() ? Duration.ZERO : left);
        coordinators.close();
        locator.close();
    }
}
