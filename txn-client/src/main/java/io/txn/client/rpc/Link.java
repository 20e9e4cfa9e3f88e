package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.Refusal;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.About;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockDomain;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection of one role to one address, over all its lives: connecting → registering → live → broken → waiting → connecting …, until
 * retired.
 *
 * <p>Every change of state happens on the scheduler thread of {@link Coordinators}; event loops only post to it. So the states need no lock,
 * and what other threads read ({@link #live}, {@link #lastFailure}) is volatile. A life is recognised by its {@link RpcConnection}: whatever
 * is posted on behalf of an earlier one is ignored.
 */
final class Link implements RpcHandler {

    /** The dialect of the protocol this client speaks: which statuses and branch types it knows. */
    static final String VERSION = "2.5.0";

    /** With this many failures behind it, the next try is a second or more away. */
    private static final int FAILURES_OF_A_REFUSAL = 5;

    /** How long the answer to a registration may take at most. */
    private static final Duration REGISTRATION_TIMEOUT = Duration.ofSeconds(5);

    private static final int MOST_CAUSES = 16;
    private static final int FIRST_CHARACTERS = 32 * 1024;

    private static final Logger log = LoggerFactory.getLogger(Link.class);

    private final ConnectionRole role;
    private final HostPort address;
    /** The same as XIDs spell it. */
    private final String addressText;

    private final Coordinators owner;

    private volatile @Nullable RpcConnection live;
    private volatile @Nullable Throwable lastFailure;
    private volatile boolean retired;
    private volatile boolean untried = true;
    /** The address the coordinator behind this link writes into its XIDs, once one was seen. */
    private volatile @Nullable String advertised;
    /** The lock domain behind this link as it was last named; null: none was. */
    private volatile @Nullable String domain;

    private volatile Told aboutIt = Told.NOTHING;

    /** What the coordinator said of itself, and when it was asked and answered by our clock. */
    private record Told(About about, Instant asked, Instant answered) {
        static final Told NOTHING = new Told(new About(null, null), Instant.EPOCH, Instant.EPOCH);
    }

    // Scheduler thread only.
    private final Set<String> announced = new LinkedHashSet<>();
    private @Nullable RpcConnection connection;
    private int failures;
    private boolean wasLive;
    private @Nullable ErrorCode told;

    Link(ConnectionRole role, HostPort address, Coordinators owner) {
        this.role = role;
        this.address = address;
        this.addressText = address.toString();
        this.owner = owner;
    }

    ConnectionRole role() {
        return role;
    }

    HostPort address() {
        return address;
    }

    /** The registered connection, or null while there is none. */
    @Nullable
    RpcConnection live() {
        RpcConnection current = live;
        return current != null && current.isOpen() ? current : null;
    }

    boolean retired() {
        return retired;
    }

    /** Whether the first try to connect is still under way. */
    boolean untried() {
        return untried;
    }

    @Nullable
    Throwable lastFailure() {
        return lastFailure;
    }

    @Nullable
    String domain() {
        return domain;
    }

    /** Requests that wait for an answer. */
    int inFlight() {
        RpcConnection current = live;
        return current == null ? 0 : current.inFlight();
    }

    /** How it stands with the coordinator behind this link. */
    CoordinatorState state() {
        RpcConnection current = live();
        Told told = aboutIt;
        Instant theirs = told.about.time();
        Duration took = Duration.between(told.asked, told.answered);
        Instant middle = told.asked.plus(took.dividedBy(2));
        return new CoordinatorState(
                address,
                current != null,
                current == null ? Set.of() : agreed(current),
                told.about.version(),
                theirs == null ? null : Duration.between(middle, theirs),
                theirs == null ? null : took.dividedBy(2),
                current == null ? lastFailure : null);
    }

    /** Whether the coordinator behind this link opened the transaction. */
    boolean opened(String xidAddress) {
        return xidAddress.equals(advertised) || xidAddress.equals(addressText);
    }

    void learnAdvertised(String xidAddress) {
        if (!xidAddress.equals(advertised)) {
            advertised = xidAddress;
        }
    }

    // Scheduler thread

    void connect() {
        if (retired || connection != null) {
            return;
        }
        owner.client().connect(address.host(), address.port(), this).whenComplete((opened, failure) -> {
            boolean posted = owner.post(() -> connected(opened, failure));
            if (!posted && opened != null) {
                opened.close();
            }
        });
    }

    private void connected(@Nullable RpcConnection opened, @Nullable Throwable failure) {
        if (opened == null) {
            broken(null, failure);
        } else if (retired) {
            opened.close();
        } else {
            connection = opened;
            register(opened);
        }
    }

    private void register(RpcConnection opened) {
        announced.clear();
        Message.Request registration;
        try {
            requireSafe(opened);
            if (role == ConnectionRole.TM) {
                ConnectionOptions options = owner.options();
                registration = new Message.RegisterTmRequest(
                        VERSION, options.applicationId(), options.serviceGroup(), extraData(opened));
            } else {
                announceFirst();
                registration = registrationOf(opened, announced);
            }
        } catch (TxnException e) {
            broken(opened, e);
            return;
        }
        Instant asked = owner.clock().instant();
        opened.request(registration, Feature.announced(), registrationTimeout()).whenComplete((answer, failure) -> {
            if (answer != null) {
                aboutIt =
                        new Told(About.read(answer.head()), asked, owner.clock().instant());
            }
            // Before the next frame is read, which may be a call for what waited here for this resource.
            opened.attach(new Agreed(answer == null ? Set.of() : Feature.agreedIn(answer.head())));
            owner.post(() -> registered(opened, answer, failure));
        });
    }

    /** Shorter than that of other requests: nothing is written down for a registration, and while one hangs another coordinator could serve. */
    private Duration registrationTimeout() {
        Duration requests = owner.options().requestTimeout();
        return requests.compareTo(REGISTRATION_TIMEOUT) < 0 ? requests : REGISTRATION_TIMEOUT;
    }

    /** A coordinator reads only short frames of who has not registered yet; what is left is announced right behind. */
    private void announceFirst() {
        int characters = 0;
        for (String resource : owner.resourceIds()) {
            characters += resource.length() + 1;
            if (characters > FIRST_CHARACTERS && !announced.isEmpty()) {
                return;
            }
            announced.add(resource);
        }
    }

    /** A token is for the coordinator alone: it does not travel where others can read it. */
    private void requireSafe(RpcConnection opened) {
        boolean local = opened.remoteAddress().getAddress().isLoopbackAddress();
        if (owner.options().credentials().secret() && !opened.encrypted() && !local) {
            throw new TxnException(
                    ErrorCode.TOKEN_EXPOSED, null, "coordinator", address, "reason", "the token was not sent");
        }
    }

    private String extraData(RpcConnection over) {
        ConnectionOptions options = owner.options();
        return options.credentials()
                .shown(options.serviceGroup(), over.localAddress().getAddress().getHostAddress(), owner.clock())
                .text();
    }

    private void registered(RpcConnection of, @Nullable Frame answer, @Nullable Throwable failure) {
        if (of != connection) {
            return;
        }
        @Nullable TxnException refusal = refusal(answer);
        if (failure != null || refusal != null) {
            broken(of, failure != null ? unregistered(failure) : refusal);
            return;
        }
        failures = 0;
        told = null;
        wasLive = true;
        lastFailure = null;
        domain = answer == null ? null : LockDomain.read(answer.head());
        live = of;
        untried = false;
        log.info("connected to coordinator {} role={} local={}", address, role, of.localAddress());
        owner.linkChanged();
        owner.registered(this);
        announceNew();
    }

    /** Why a connection that was made came to nothing. */
    private Throwable unregistered(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        ErrorCode code = cause instanceof TxnException known ? known.code() : ErrorCode.CONNECTION_LOST;
        String reason = code == ErrorCode.REQUEST_TIMED_OUT
                ? "it takes connections and does not answer: it hangs, or something else listens there"
                : code == ErrorCode.CONNECTION_LOST
                        ? "it closed the connection instead of answering: something else listens there, it wants TLS, or it is stopping"
                        : null;
        return reason == null
                ? cause
                : new TxnException(ErrorCode.NO_COORDINATOR, cause, "address", address, "reason", reason);
    }

    /** What rides along with a registered connection. */
    private record Agreed(Set<Feature> features) {}

    /** The extensions that this client and the coordinator agreed on when the connection was registered. */
    static Set<Feature> agreed(RpcConnection over) {
        Agreed agreed = over.attachment(Agreed.class);
        return agreed == null ? Set.of() : agreed.features;
    }

    /** Announces the resources that this connection has not been told yet. */
    void announceNew() {
        RpcConnection current = live;
        if (role != ConnectionRole.RM || current == null || current != connection) {
            return;
        }
        List<String> fresh = new ArrayList<>(owner.resourceIds());
        fresh.removeAll(announced);
        if (fresh.isEmpty()) {
            return;
        }
        announced.addAll(fresh);
        Message.Request registration;
        try {
            registration = registrationOf(current, fresh);
        } catch (TxnException e) {
            broken(current, e);
            return;
        }
        current.request(registration, Feature.announced(), owner.options().requestTimeout())
                .whenComplete((answer, failure) -> owner.post(() -> {
                    @Nullable TxnException refusal = refusal(answer);
                    if (current == connection && (failure != null || refusal != null)) {
                        // A new connection announces everything anew: one way to recover, not two.
                        broken(current, failure != null ? failure : refusal);
                    }
                }));
    }

    private Message.RegisterRmRequest registrationOf(RpcConnection over, Iterable<String> resourceIds) {
        ConnectionOptions options = owner.options();
        return new Message.RegisterRmRequest(
                VERSION,
                options.applicationId(),
                options.serviceGroup(),
                options.credentials() instanceof Credentials.None ? null : extraData(over),
                String.join(",", resourceIds));
    }

    private @Nullable TxnException refusal(@Nullable Frame answer) {
        if (answer == null
                || answer.body() instanceof Message.RegisterTmResponse tm && tm.identified()
                || answer.body() instanceof Message.RegisterRmResponse rm && rm.identified()) {
            return null;
        }
        return Refusal.read(answer.head(), "coordinator", address, "role", role);
    }

    /** Of a failure that trying again will not mend, the part that says what will; else null. */
    static @Nullable TxnException refusal(@Nullable Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; depth < MOST_CAUSES && cause != null; depth++) {
            if (cause instanceof TxnException known && known.code().category() == ErrorCode.Category.OPERATOR) {
                return known;
            }
            cause = cause.getCause();
        }
        return null;
    }

    /** This life is over: says so once, and plans the next one. */
    private void broken(@Nullable RpcConnection of, @Nullable Throwable cause) {
        connection = null;
        live = null;
        failures++;
        if (of != null) {
            of.close();
        }
        if (retired) {
            owner.linkGone(this);
            return;
        }
        lastFailure = cause == null ? new TxnException(ErrorCode.CONNECTION_LOST, null, "coordinator", address) : cause;
        untried = false;
        owner.linkChanged();
        TxnException refusal = refusal(cause);
        if (refusal != null) {
            // Somebody has to do something first, so there is no hurry; and it is told once for each reason.
            failures = Math.max(failures, FAILURES_OF_A_REFUSAL);
            if (refusal.code() != told) {
                log.error(
                        "the connection to coordinator {} is refused and tried again rarely role={} cause={}",
                        address,
                        role,
                        refusal.getMessage());
            }
            told = refusal.code();
            wasLive = false;
        } else if (wasLive) {
            wasLive = false;
            log.warn("lost coordinator {} role={} cause={}; trying again", address, role, reason(cause));
        } else if (failures == 1) {
            log.warn("cannot reach coordinator {} role={} cause={}; keeps trying", address, role, reason(cause));
        } else {
            log.debug("still cannot reach coordinator {} role={} cause={}", address, role, reason(cause));
        }
        owner.later(
                this::connect,
                owner.options().reconnect().delay(failures, owner.random()).toNanos(),
                TimeUnit.NANOSECONDS);
    }

    /** No longer listed: an open connection goes on until it breaks, because its coordinator may still finish branches over it. */
    void retire() {
        if (!retired) {
            retired = true;
            log.debug("coordinator {} is no longer listed role={}", address, role);
            if (connection == null) {
                owner.linkGone(this);
            }
        }
    }

    /** Listed again before it was gone. */
    void revive() {
        retired = false;
    }

    void close() {
        retired = true;
        RpcConnection current = connection;
        connection = null;
        live = null;
        if (current != null) {
            current.close();
        }
    }

    static String reason(@Nullable Throwable cause) {
        if (cause == null) {
            return "closed by the coordinator";
        }
        Throwable deepest = cause;
        for (int depth = 0; depth < MOST_CAUSES && deepest.getCause() != null; depth++) {
            if (deepest instanceof TxnException known && known.facts().get("reason") instanceof String reason) {
                return reason;
            }
            deepest = deepest.getCause();
        }
        return deepest.getMessage() == null ? deepest.toString() : deepest.getMessage();
    }

    // Event loop

    @Override
    public void received(RpcConnection from, Frame frame) {
        if (frame.body() instanceof Message.Request request) {
            // Fields of the head need no look at what was agreed on: who has not agreed sends none.
            owner.requests().received(request, frame.head(), new CoordinatorRequests.Answering() {
                @Override
                public void answer(Message.Response answer, Map<String, String> head) {
                    boolean heads = agreed(from).contains(Feature.UNDO_DECISIONS);
                    if (from.isOpen() && heads && !head.isEmpty()) {
                        from.respond(frame, head, answer);
                    } else if (from.isOpen()) {
                        from.respond(frame, answer);
                    }
                }

                @Override
                public boolean callsGoOn() {
                    return !agreed(from).isEmpty();
                }
            });
        } else {
            log.warn(
                    "ignored a message that no coordinator sends coordinator={} type={}",
                    address,
                    frame.body() == null ? "none" : frame.body().getClass().getSimpleName());
        }
    }

    @Override
    public void closed(RpcConnection closed) {
        owner.post(() -> {
            if (closed == connection) {
                boolean registered = live != null;
                broken(
                        closed,
                        registered
                                ? null
                                : unregistered(
                                        new TxnException(ErrorCode.CONNECTION_LOST, null, "coordinator", address)));
            }
        });
    }
}
