package io.txn.client.rpc;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All coordinators this process knows, and its connections to them. Thread-safe.
 *
 * <p>Each listed address has a TM link from the start, and an RM link from the first resource on: any coordinator may have to call this
 * process back. A request goes to the coordinator whose address stands in the XID if a connection to it is live, else to one of its lock domain. New
 * transactions begin in the domain of the first listed coordinator that is live: always the same one as long as it lives, because two domains know nothing of
 * each other's row locks. Within a domain they go to the connection with fewer requests in flight of two drawn at random.
 */
public final class Coordinators implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Coordinators.class);

    /** How long a start waits before it says that it waits. */
    private static final int MOST_ADDRESSES = 1_000;

    private static final Duration SILENT_WAIT = Duration.ofSeconds(2);

    private final ConnectionOptions options;
    private final CoordinatorLocator locator;
    private final Supplier<List<String>> resourceIds;
    private final CoordinatorRequests requests;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final RpcClient client;
    private final TxnObserver observer;
    private final ScheduledThreadPoolExecutor scheduler;

    private final Map<ConnectionRole, Map<HostPort, Link>> links = new EnumMap<>(ConnectionRole.class);

    private final LentIds lentIds = new LentIds();

    /** The lock domains of those whose XIDs begin with these addresses: also when their links are gone. */
    private final Map<String, String> domains = new ConcurrentHashMap<>();

    /** Transactions opened here that their coordinator may not know; each leaves when it is ended. */
    private final Map<Xid, LateBegin> lateBegins = new ConcurrentHashMap<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition someLinkChanged = lock.newCondition();
    private final CountDownLatch startedOrClosed = new CountDownLatch(1);
    private volatile boolean started;
    private volatile boolean closed;
    private volatile List<HostPort> listed = List.of();

    // Scheduler thread only.
    private boolean resourcesWanted;
    private List<HostPort> toldDomains = List.of();

    /**
     * @param resourceIds the ids of all resources registered so far
     * @param requests takes what coordinators ask
     * @param random thread-safe
     */
    public Coordinators(
            ConnectionOptions options,
            CoordinatorLocator locator,
            Supplier<List<String>> resourceIds,
            CoordinatorRequests requests,
            InstantSource clock,
            RandomGenerator random) {
        this.clock = clock;
        this.observer = TxnObserver.guarded(options.observer());
        this.options = options;
        this.locator = locator;
        this.resourceIds = resourceIds;
        this.requests = requests;
        this.random = random;
        for (ConnectionRole role : ConnectionRole.values()) {
            links.put(role, new ConcurrentHashMap<>());
        }
        this.client = new RpcClient(options.transport(), options.tls());
        this.scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "txn-client-connections");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Begins to connect to every address, and to follow the locator, unless that has begun. Returns at once. Whoever needs a connection begins it, too. */
    public void start() {
        if (started) {
            return;
        }
        lock.lock();
        try {
            if (started || closed) {
                return;
            }
            started = true;
        } finally {
            lock.unlock();
        }
        startedOrClosed.countDown();
        locator.onChange(addresses -> post(() -> listed(addresses)));
        post(() -> {
            resourcesWanted = resourcesWanted || !resourceIds().isEmpty();
            listed(locator.current());
        });
    }

    /** Begins it after that time if nobody has until then. Returns at once. */
    public void startWithin(Duration most) {
        Thread thread = new Thread(
                () -> {
                    try {
                        if (!startedOrClosed.await(most.toNanos(), TimeUnit.NANOSECONDS)) {
                            start();
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "txn-late-start");
        thread.setDaemon(true);
        thread.start();
    }

    /** Asks the first address whether it takes this process. Begins nothing else on a clear yes; and to connect as soon as there is none. */
    public FirstContact firstContact() {
        return FirstContact.begin(options, locator.current(), clock, this::start);
    }

    /** A resource was added: announces it on open connections, and opens the RM links when it is the first. What is added before the start is announced with it. */
    public void resourceAdded() {
        lock.lock();
        try {
            if (!started) {
                return;
            }
        } finally {
            lock.unlock();
        }
        post(() -> {
            resourcesWanted = true;
            listed(locator.current());
            linksOf(ConnectionRole.RM).values().forEach(Link::announceNew);
        });
    }

    /**
     * Sends a request.
     *
     * @param xid the transaction it is about; null when any coordinator will do
     * @param answerTimeout after which the exchange fails by itself
     * @throws TxnException {@link ErrorCode#NO_COORDINATOR} when no connection came up while waiting: nothing was sent
     */
    public <R extends Message.Response> Exchange<R> send(
            ConnectionRole role, @Nullable Xid xid, Message.Request request, Class<R> type, Duration answerTimeout) {
        return send(role, xid, request, type, answerTimeout, options.connectWait());
    }

    /** The same for one who waits another time for a connection. */
    public <R extends Message.Response> Exchange<R> send(
            ConnectionRole role,
            @Nullable Xid xid,
            Message.Request request,
            Class<R> type,
            Duration answerTimeout,
            Duration connectWait) {
        Link link = awaitLink(role, xid, connectWait);
        RpcConnection connection = link.live();
        if (connection == null) {
            throw unreachable(role);
        }
        CompletableFuture<R> answer = observed(
                        request, link, xid, () -> connection.request(request, type, answerTimeout))
                .thenApply(message -> {
                    if (message instanceof Message.GlobalBeginResponse begun && begun.xid() != null) {
                        advertised(link, addressOf(begun.xid()));
                    }
                    return message;
                });
        return new Exchange<>(request.getClass().getSimpleName(), link.address(), Link.agreed(connection), answer);
    }

    /** Sends, and lets the observer see it from now until the answer is there. */
    private <T> CompletableFuture<T> observed(
            Message.Request request, Link link, @Nullable Xid xid, Supplier<CompletableFuture<T>> send) {
        if (observer == TxnObserver.NONE) {
            return send.get();
        }
        String name = request.getClass().getSimpleName();
        TxnObserver.Span span = observer.begin(new Work.CoordinatorCall(
                name.endsWith("Request") ? name.substring(0, name.length() - "Request".length()) : name,
                link.address().toString(),
                xid));
        CompletableFuture<T> answer;
        try {
            answer = send.get();
        } catch (RuntimeException | Error e) {
            span.failed(e);
            span.close();
            throw e;
        }
        return answer.whenComplete((value, failure) -> {
            if (failure != null) {
                span.failed(failure);
            }
            span.close();
        });
    }

    /** Sees what this client does. */
    public TxnObserver observer() {
        return observer;
    }

    /** The head of a request over a connection on which these extensions were agreed on, and how many ids the coordinator should be asked for along with it. */
    @FunctionalInterface
    public interface Head {
        Map<String, String> over(Set<Feature> agreed, int idsWanted);
    }

    /**
     * Sends a request with a head.
     *
     * @param before null, or an exchange with the one coordinator, or a member of the one lock domain, that it may go to
     * @throws TxnException {@link ErrorCode#NO_COORDINATOR} when no connection came up while waiting: nothing was sent
     */
    public <R extends Message.Response> Exchange<Exchange.Answered<R>> send(
            ConnectionRole role,
            @Nullable Xid xid,
            Message.Request request,
            Head head,
            Class<R> type,
            Duration answerTimeout,
            Duration connectWait,
            @Nullable Exchange<?> before) {
        Link link =
                before == null ? awaitLink(role, xid, connectWait) : awaitLink(role, before.coordinator(), connectWait);
        RpcConnection connection = link.live();
        if (connection == null) {
            throw unreachable(role);
        }
        Set<Feature> agreed = Link.agreed(connection);
        CompletableFuture<Exchange.Answered<R>> answer = observed(
                        request,
                        link,
                        xid,
                        () -> connection.request(
                                request, head.over(agreed, lentIds.wanted(link.address())), answerTimeout))
                .thenApply(frame -> {
                    Message body = frame.body();
                    if (agreed.contains(Feature.ID_LEASE)) {
                        lentIds.answered(link.address(), connection, frame.head());
                    }
                    if (body instanceof Message.GlobalBeginResponse begun && begun.xid() != null) {
                        advertised(link, addressOf(begun.xid()));
                    }
                    if (!type.isInstance(body)) {
                        throw new TxnException(
                                ErrorCode.ANSWER_UNREADABLE,
                                null,
                                "expected",
                                type.getSimpleName(),
                                "peer",
                                link.address());
                    }
                    return new Exchange.Answered<>(type.cast(body), frame.head());
                });
        return new Exchange<>(request.getClass().getSimpleName(), link.address(), agreed, answer);
    }

    // Lent ids

    /**
     * Opens a transaction without a word to its coordinator, which hears of it with the first request about it.
     *
     * @return null when the coordinator of new transactions lends no ids, lent none that is left, or is not reachable for both roles
     */
    public @Nullable LateBegin openLate(String name, Instant deadline) {
        start();
        Link forTransactions = pick(ConnectionRole.TM, null, true);
        Link forBranches =
                forTransactions == null ? null : linksOf(ConnectionRole.RM).get(forTransactions.address());
        if (forTransactions == null || forBranches == null || !lends(forTransactions) || !lends(forBranches)) {
            return null;
        }
        Xid xid = lentIds.take(forTransactions.address());
        if (xid == null) {
            return null;
        }
        LateBegin late = new LateBegin(xid, name, deadline);
        lateBegins.put(xid, late);
        return late;
    }

    /** The transaction, if its coordinator may not know it. */
    public @Nullable LateBegin lateBegin(Xid xid) {
        return lateBegins.get(xid);
    }

    /** Nothing has the transaction begun any more; what there was, if anything. */
    public @Nullable LateBegin endLate(Xid xid) {
        return lateBegins.remove(xid);
    }

    /**
     * Whether an extension is agreed on with the coordinator of that transaction.
     *
     * @throws TxnException {@link ErrorCode#NO_COORDINATOR} when there is no connection to it
     */
    public boolean agreed(ConnectionRole role, Xid xid, Feature feature, Duration connectWait) {
        RpcConnection over = awaitLink(role, xid, connectWait).live();
        if (over == null) {
            throw unreachable(role);
        }
        return Link.agreed(over).contains(feature);
    }

    /** An id for a branch of that transaction; 0 when there is none. */
    public long branchId(Xid xid) {
        Link link = pick(ConnectionRole.RM, xid, true);
        Xid lent = link == null || !lends(link) ? null : lentIds.take(link.address());
        // Of another coordinator's transaction it would be another's id.
        return lent != null && addressOf(lent.value()).equals(addressOf(xid.value())) ? lent.number() : 0;
    }

    private static boolean lends(Link link) {
        RpcConnection over = link.live();
        return over != null && Link.agreed(over).contains(Feature.ID_LEASE);
    }

    private Link awaitLink(ConnectionRole role, HostPort only, Duration connectWait) {
        start();
        long left = connectWait.toNanos();
        lock.lock();
        try {
            while (true) {
                Link link = doorTo(role, only);
                if (link != null) {
                    return link;
                }
                if (left <= 0 || closed) {
                    throw unreachable(role);
                }
                left = someLinkChanged.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable(role);
        } finally {
            lock.unlock();
        }
    }

    /** A live connection to that coordinator, or to what knows the same requests: another door of its lock domain. */
    private @Nullable Link doorTo(ConnectionRole role, HostPort address) {
        Map<HostPort, Link> known = linksOf(role);
        Link own = known.get(address);
        if (own != null && own.live() != null) {
            return own;
        }
        String domain = domain(known, address.toString());
        for (Link link : known.values()) {
            if (domain != null && domain.equals(link.domain()) && link.live() != null) {
                return link;
            }
        }
        return null;
    }

    /** Sends a request over a connection that is live now, and looks for no answer; does nothing when there is none. Never blocks. */
    public void sendIfLive(ConnectionRole role, Xid xid, Message.Request request, Duration answerTimeout) {
        start();
        Link link = pick(role, xid, false);
        RpcConnection connection = link == null ? null : link.live();
        if (connection != null) {
            connection.request(request, answerTimeout).whenComplete((answer, failure) -> {
                if (failure != null) {
                    log.debug("unattended request failed xid={}", xid, failure);
                }
            });
        }
    }

    /** Sends a request and waits for its answer. */
    public <R extends Message.Response> R call(
            ConnectionRole role, @Nullable Xid xid, Message.Request request, Class<R> type) {
        return send(role, xid, request, type, options.requestTimeout()).await();
    }

    /**
     * Waits until a connection for global transactions is live.
     *
     * @throws TxnException {@link ErrorCode#NO_COORDINATOR} with each address and why it could not be reached; or, when all of them are there and refuse,
     *     the code that says why
     */
    public void awaitLive(Duration wait) {
        Duration silent = wait.compareTo(SILENT_WAIT) < 0 ? wait : SILENT_WAIT;
        // Who is refused everywhere need not wait: somebody has to do something first.
        Link link = await(ConnectionRole.TM, null, silent, () -> refusedByAll() != null);
        if (link == null && wait.compareTo(silent) > 0 && refusedByAll() == null) {
            Duration more = wait.minus(silent);
            log.info(
                    "no coordinator yet, waiting for up to {} s more searched={} tried={}",
                    more.toSeconds(),
                    locator.description(),
                    tried(ConnectionRole.TM));
            link = await(ConnectionRole.TM, null, more, () -> refusedByAll() != null);
        }
        if (link == null) {
            TxnException unreachable = unreachable(ConnectionRole.TM);
            TxnException refusal = refusedByAll();
            throw refusal == null
                    ? unreachable
                    : new TxnException(refusal.code(), refusal.getCause(), pairs(refusal.facts(), unreachable.facts()));
        }
    }

    /** Why the first one refuses, if all that are listed do. */
    private @Nullable TxnException refusedByAll() {
        TxnException first = null;
        for (HostPort address : listed) {
            Link link = linksOf(ConnectionRole.TM).get(address);
            TxnException refusal = link == null ? null : Link.refusal(link.lastFailure());
            if (refusal == null) {
                return null;
            }
            first = first == null ? refusal : first;
        }
        return first;
    }

    /** How it stands with each coordinator that is listed, in their order. */
    public List<CoordinatorState> states() {
        // The list that a start begins with is followed on another thread.
        List<HostPort> now = listed;
        Map<HostPort, Link> known = linksOf(ConnectionRole.TM);
        return (now.isEmpty() ? locator.current() : now)
                .stream()
                        .map(address -> {
                            Link link = known.get(address);
                            return link == null ? CoordinatorState.unconnected(address) : link.state();
                        })
                        .toList();
    }

    /** Whether a connection for global transactions is live. */
    public boolean live() {
        return pick(ConnectionRole.TM, null, false) != null;
    }

    private Link awaitLink(ConnectionRole role, @Nullable Xid xid, Duration connectWait) {
        Link link = pick(role, xid, true);
        if (link == null) {
            link = await(role, xid, connectWait, () -> false);
        }
        if (link == null) {
            throw unreachable(role);
        }
        return link;
    }

    private @Nullable Link await(ConnectionRole role, @Nullable Xid xid, Duration wait, BooleanSupplier hopeless) {
        start();
        long left = wait.toNanos();
        lock.lock();
        try {
            while (true) {
                Link link = pick(role, xid, true);
                if (link != null) {
                    return link;
                }
                if (left <= 0 || closed || hopeless.getAsBoolean()) {
                    return pick(role, xid, false);
                }
                left = someLinkChanged.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return pick(role, xid, false);
        } finally {
            lock.unlock();
        }
    }

    /** @param patient whether an earlier listed coordinator whose first try is under way is worth waiting for */
    private @Nullable Link pick(ConnectionRole role, @Nullable Xid xid, boolean patient) {
        Map<HostPort, Link> known = linksOf(role);
        if (xid != null) {
            String address = addressOf(xid.value());
            String domain = domain(known, address);
            // Another door to the same state, or the same coordinator at its new address, is as good as the one that
            // opened
            // it. One of another domain would say that there is no such transaction, which is not true.
            Link one = null;
            List<Link> several = null;
            for (Link link : known.values()) {
                boolean able = link.opened(address) || domain != null && domain.equals(link.domain());
                if (able && link.live() != null) {
                    if (one == null) {
                        one = link;
                    } else {
                        several = several == null ? new ArrayList<>(List.of(one)) : several;
                        several.add(link);
                    }
                }
            }
            if (one != null) {
                return several == null ? one : lessBusy(several);
            } else if (domain != null) {
                return null;
            }
        }
        for (HostPort address : listed) {
            Link link = known.get(address);
            if (link != null && link.live() != null) {
                return balanced(link, known);
            }
            if (patient && (link == null || link.untried())) {
                // Right after a start the second one may be a moment faster; beginning there would split the lock
                // domain.
                return null;
            }
        }
        for (Link leaving : known.values()) {
            if (leaving.live() != null) {
                return leaving;
            }
        }
        return null;
    }

    /** The lock domain in which transactions with this address in their XIDs were opened; null when it is not known. */
    private @Nullable String domain(Map<HostPort, Link> known, String address) {
        for (Link link : known.values()) {
            if (link.opened(address) && link.domain() != null) {
                return link.domain();
            }
        }
        return domains.get(address);
    }

    /** The coordinator behind the link writes this address into its XIDs. */
    private void advertised(Link link, String address) {
        link.learnAdvertised(address);
        String domain = link.domain();
        if (domain != null && domains.size() < MOST_ADDRESSES) {
            domains.put(address, domain);
        }
    }

    /** One of the links into the same lock domain as the first. */
    private Link balanced(Link first, Map<HostPort, Link> known) {
        String domain = first.domain();
        if (domain == null || listed.size() < 2) {
            return first;
        }
        List<Link> doors = new ArrayList<>();
        for (HostPort address : listed) {
            Link link = known.get(address);
            if (link != null && link.live() != null && domain.equals(link.domain())) {
                doors.add(link);
            }
        }
        return doors.isEmpty() ? first : lessBusy(doors);
    }

    /** Of two drawn at random, the one with fewer requests in flight. */
    private Link lessBusy(List<Link> doors) {
        if (doors.size() == 1) {
            return doors.get(0);
        }
        int one = random.nextInt(doors.size());
        int other = random.nextInt(doors.size() - 1);
        other = other < one ? other : other + 1;
        return doors.get(one).inFlight() <= doors.get(other).inFlight() ? doors.get(one) : doors.get(other);
    }

    private TxnException unreachable(ConnectionRole role) {
        Throwable cause = null;
        for (HostPort address : listed) {
            Link link = linksOf(role).get(address);
            Throwable failure = link == null ? null : link.lastFailure();
            cause = failure == null ? cause : failure;
        }
        return new TxnException(
                ErrorCode.NO_COORDINATOR,
                cause,
                "searched",
                locator.description(),
                "tried",
                closed ? "nothing: this client is closed" : tried(role));
    }

    /** What became of each address, for messages. */
    private Object tried(ConnectionRole role) {
        Map<HostPort, String> reasons = new LinkedHashMap<>();
        for (HostPort address : listed) {
            Link link = linksOf(role).get(address);
            Throwable failure = link == null ? null : link.lastFailure();
            boolean live = link != null && link.live() != null;
            reasons.put(
                    address,
                    live
                            ? "connected, and of another lock domain"
                            : failure == null ? "not connected yet" : Link.reason(failure));
        }
        return reasons.isEmpty() ? "nothing: none is listed" : reasons;
    }

    private static Object[] pairs(Map<String, Object> facts, Map<String, Object> more) {
        List<Object> pairs = new ArrayList<>();
        facts.forEach((key, value) -> pairs.addAll(List.of(key, value)));
        more.forEach((key, value) -> {
            if (!facts.containsKey(key)) {
                pairs.addAll(List.of(key, value));
            }
        });
        return pairs.toArray();
    }

    private static String addressOf(String xid) {
        int colon = xid.lastIndexOf(':');
        return colon < 0 ? xid : xid.substring(0, colon);
    }

    private Map<HostPort, Link> linksOf(ConnectionRole role) {
        Map<HostPort, Link> found = links.get(role);
        if (found == null) {
            throw new AssertionError(role);
        }
        return found;
    }

    // Scheduler thread

    private void listed(List<HostPort> addresses) {
        if (closed || addresses.isEmpty()) {
            return;
        }
        listed = List.copyOf(addresses);
        follow(ConnectionRole.TM, addresses);
        if (resourcesWanted) {
            follow(ConnectionRole.RM, addresses);
        }
    }

    private void follow(ConnectionRole role, List<HostPort> addresses) {
        Map<HostPort, Link> known = linksOf(role);
        for (HostPort address : addresses) {
            Link link = known.get(address);
            if (link == null) {
                link = new Link(role, address, this);
                known.put(address, link);
                link.connect();
            } else {
                link.revive();
            }
        }
        for (Link link : List.copyOf(known.values())) {
            if (!addresses.contains(link.address())) {
                link.retire();
            }
        }
    }

    void linkGone(Link link) {
        links.values().forEach(known -> known.remove(link.address(), link));
        if (links.values().stream().noneMatch(known -> known.containsKey(link.address()))) {
            lentIds.forget(link.address());
        }
    }

    /** A link became live: tells, once for each list, when its coordinators keep row locks of their own. */
    void registered(Link newest) {
        if (toldDomains.equals(listed)) {
            return;
        }
        for (HostPort address : listed) {
            Link other = linksOf(newest.role()).get(address);
            if (other != null
                    && other != newest
                    && other.live() != null
                    && (other.domain() == null || !Objects.equals(other.domain(), newest.domain()))) {
                toldDomains = listed;
                log.warn(
                        "several coordinators are listed that each keep row locks of their own, so all applications must begin at the same one: "
                                + "the first that can be reached is used coordinators={}",
                        listed);
                return;
            }
        }
    }

    /** A link became live, or failed for the first time: whoever waits looks again. */
    void linkChanged() {
        lock.lock();
        try {
            someLinkChanged.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Runs {@code change} on the scheduler thread; false when that has ended. */
    boolean post(Runnable change) {
        try {
            scheduler.execute(guarded(change));
            return true;
        } catch (RejectedExecutionException e) {
            return false; // closed: nobody waits for this change any more
        }
    }

    void later(Runnable change, long delay, TimeUnit unit) {
        try {
            scheduler.schedule(guarded(change), delay, unit);
        } catch (RejectedExecutionException e) {
            // closed: nobody waits for this change any more
        }
    }

    private static Runnable guarded(Runnable change) {
        return () -> {
            try {
                change.run();
            } catch (RuntimeException e) {
                // The executor would keep this to itself; the link would stand still without a word.
                log.error("a connection could not be looked after", e);
            }
        };
    }

    public ConnectionOptions options() {
        return options;
    }

    RpcClient client() {
        return client;
    }

    InstantSource clock() {
        return clock;
    }

    RandomGenerator random() {
        return random;
    }

    CoordinatorRequests requests() {
        return requests;
    }

    List<String> resourceIds() {
        return resourceIds.get();
    }

    /** Whether {@link #close()} was called: nothing is sent any more. */
    public boolean isClosed() {
        return closed;
    }

    /** Closes all connections; requests that wait for an answer fail. Does not close the locator. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        startedOrClosed.countDown();
        linkChanged();
        post(() -> links.values().forEach(known -> {
            known.values().forEach(Link::close);
            known.clear();
        }));
        scheduler.shutdown();
        try {
            if (!scheduler.awaitTermination(5, TimeUnit.SECONDS)) {
                scheduler.shutdownNow();
            }
        } catch (InterruptedException e) {
            scheduler.shutdownNow();
            Thread.currentThread().interrupt();
        }
        client.close();
    }
}
