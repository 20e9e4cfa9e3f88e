package io.txn.coordinator.seata;

import io.txn.coordinator.access.Admission;
import io.txn.coordinator.access.Credential;
import io.txn.coordinator.access.Doorkeeper;
import io.txn.coordinator.access.Presented;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.access.Refusal;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.About;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockDomain;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.LogBudget;
import io.txn.protocol.transport.RpcConnection;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets connections in: who they are, as what application, with which resources. Who is refused is answered, and closed. Thread-safe; nothing here
 * blocks.
 */
final class Registrations {

    private static final Logger LOG = LoggerFactory.getLogger(Registrations.class);

    /** How long a resource manager that depends on its transaction manager may be there first, as after a restart of the coordinator. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final @Nullable String PRODUCT = product();

    private static final int MOST_PARKED = 1_000;
    private static final int LINES = 20;
    private static final Duration LINES_PERIOD = Duration.ofMinutes(1);

    private final Sessions sessions;
    private final SharedTexts shared;
    private final Doorkeeper doorkeeper;
    private final InstantSource clock;
    private final SeataAdapter.RequestLimits limits;
    private final String version;
    private final String domain;
    private final Consumer<Collection<String>> available;
    private final LogBudget refusals;
    private final LongAdder refused = new LongAdder();
    private final List<Parked> parked = new ArrayList<>();

    /** Whom TLS trusts since the last change; null: there was none. */
    private volatile @Nullable X509TrustManager trusted;

    /**
     * A registration of either kind.
     *
     * @param resources null: of a transaction manager
     */
    private record Registration(
            RpcConnection connection,
            Frame frame,
            @Nullable String application,
            @Nullable String group,
            @Nullable String version,
            @Nullable String extraData,
            @Nullable List<String> resources) {

        Presented presented() {
            return new Presented(
                    connection.remoteAddress().getAddress(),
                    connection.encrypted(),
                    connection.peerCertificates(),
                    application == null ? "" : application,
                    group == null ? "" : group,
                    ExtraData.parse(extraData));
        }
    }

    private record Parked(Registration registration, long until) {}

    /**
     * @param version of the protocol as this side speaks it, for the answers
     * @param domain the lock domain, for the answers
     * @param available told which resources have come
     */
    Registrations(
            Sessions sessions,
            SharedTexts shared,
            Doorkeeper doorkeeper,
            InstantSource clock,
            SeataAdapter.RequestLimits limits,
            String version,
            String domain,
            Consumer<Collection<String>> available) {
        this.sessions = sessions;
        this.shared = shared;
        this.doorkeeper = doorkeeper;
        this.clock = clock;
        this.limits = limits;
        this.version = version;
        this.domain = domain;
        this.available = available;
        this.refusals = new LogBudget(clock, LINES, LINES_PERIOD);
    }

    void received(RpcConnection connection, Frame frame, Message.RegisterTmRequest register) {
        received(new Registration(
                connection,
                frame,
                register.applicationId(),
                register.transactionServiceGroup(),
                register.version(),
                register.extraData(),
                null));
    }

    void received(RpcConnection connection, Frame frame, Message.RegisterRmRequest register) {
        received(new Registration(
                connection,
                frame,
                register.applicationId(),
                register.transactionServiceGroup(),
                register.version(),
                register.extraData(),
                resources(register.resourceIds())));
    }

    private void received(Registration registration) {
        Admission.Refused unfit = unfit(registration);
        if (unfit != null) {
            refuse(registration, unfit);
            return;
        }
        Session session = registration.connection().attachment(Session.class);
        Admission admission = doorkeeper.admit(registration.presented(), session == null ? null : session.credential());
        if (admission instanceof Admission.DependsOnTransactionManager) {
            if (!admitByTransactionManager(registration, false)) {
                park(registration);
            }
        } else {
            decided(registration, admission);
        }
    }

    private void decided(Registration registration, Admission admission) {
        if (admission instanceof Admission.Refused no) {
            refuse(registration, no);
        } else if (admission instanceof Admission.Admitted admitted) {
            admit(registration, admitted.credential());
        } else {
            throw new AssertionError(admission);
        }
    }

    private void admit(Registration registration, Credential credential) {
        List<String> resources = registration.resources();
        Set<Feature> features = Feature.announcedIn(registration.frame().head());
        Session session;
        // A parked one is decided on the event loop of another connection.
        synchronized (registration.connection()) {
            Admission.Refused no = unfit(registration, credential);
            if (no != null) {
                refuse(registration, no);
                return;
            }
            session = session(registration, credential);
            if (session == null) {
                return;
            }
            session.agreed(features);
        }
        // Clients or trust may have changed since it was looked at, or since the handshake, and the round that closes
        // sessions has not met this one.
        if (!renew(session, registration.resources() == null ? List.of() : registration.resources(), trusted)) {
            return;
        }
        if (resources == null) {
            respond(registration, features, new Message.RegisterTmResponse(true, version));
            if (doorkeeper.lends(credential)) {
                unpark(session);
            }
            return;
        }
        if (!sessions.addResources(session, resources, limits.resourcesPerConnection())) {
            refuse(
                    registration,
                    no(
                            ErrorCode.BAD_REQUEST,
                            "field",
                            "resourceIds",
                            "count",
                            resources.size(),
                            "limit",
                            limits.resourcesPerConnection()));
            return;
        }
        respond(registration, features, new Message.RegisterRmResponse(true, version));
        available.accept(resources);
    }

    private Admission.@Nullable Refused unfit(Registration registration, Credential credential) {
        Session session = registration.connection().attachment(Session.class);
        String application = registration.application() == null ? "" : registration.application();
        if (session != null && !session.client.application().equals(application)) {
            return no(
                    ErrorCode.BAD_REQUEST,
                    "field",
                    "applicationId",
                    "value",
                    application,
                    "registeredBefore",
                    session.client.application());
        }
        for (String resource : registration.resources() == null ? List.<String>of() : registration.resources()) {
            if (!credential.identity().mayUse(resource)) {
                return no(
                        ErrorCode.RESOURCE_NOT_PERMITTED,
                        "client",
                        credential.identity().name(),
                        "application",
                        application,
                        "resource",
                        resource);
            }
        }
        return null;
    }

    /** Its session; null: it is being closed, because another one came in its place or its time was over in this very moment. */
    private @Nullable Session session(Registration registration, Credential credential) {
        RpcConnection connection = registration.connection();
        Session session = connection.attachment(Session.class);
        if (session == null) {
            if (!connection.admit()) {
                return null;
            }
            session = new Session(
                    connection,
                    registration.application() == null ? null : shared.share(registration.application()),
                    registration.group() == null ? null : shared.share(registration.group()),
                    registration.version(),
                    credential);
            connection.attach(session);
            sessions.add(session);
            if (!connection.isOpen()) {
                sessions.remove(session); // its end may have come before it was there to be removed
            }
            LOG.debug("registered client={} version={} as={}", session, registration.version(), credential);
        }
        return session;
    }

    /** How many registrations were refused, and how many connections closed because they asked before. */
    long refused() {
        return refused.sum();
    }

    /** Closes a connection that asks for something else before it has registered. */
    void asksTooEarly(RpcConnection connection) {
        refused.increment();
        long leftOut = refusals.next();
        if (leftOut >= 0) {
            LOG.warn(
                    "closing a connection that asks before it registers peer={} notLogged={}",
                    connection.remoteAddress(),
                    leftOut);
        }
        connection.close();
    }

    private void refuse(Registration registration, Admission.Refused no) {
        RpcConnection connection = registration.connection();
        refused.increment();
        long leftOut = refusals.next();
        if (leftOut >= 0) {
            LOG.warn(
                    "refused a registration peer={} application={} role={} notLogged={} reason={}",
                    connection.remoteAddress(),
                    LogText.oneLine(registration.application()),
                    registration.resources() == null ? "TM" : "RM",
                    leftOut,
                    LogText.oneLine(no.text()));
        }
        Message.Response answer = registration.resources() == null
                ? new Message.RegisterTmResponse(false, version)
                : new Message.RegisterRmResponse(false, version);
        if (Refusal.isUnderstood(registration.frame().head())) {
            connection.respond(registration.frame(), Refusal.head(no.code(), no.facts()), answer);
        } else {
            respond(registration, Set.of(), answer);
        }
        if (no.code() != ErrorCode.BAD_REQUEST) {
            connection.close(); // who only asked too much may ask again
        }
    }

    private static Admission.Refused no(ErrorCode code, Object... facts) {
        return new Admission.Refused(code, TxnException.asMap(facts));
    }

    private void respond(Registration registration, Set<Feature> features, Message.Response response) {
        Map<String, String> head = new HashMap<>(Feature.agreed(features));
        if (features.contains(Feature.LOCK_DOMAIN)) {
            LockDomain.write(domain, head);
        }
        if (features.contains(Feature.ABOUT)) {
            new About(PRODUCT, clock.instant()).write(head);
        }
        registration.connection().respond(registration.frame(), head, response);
    }

    /** The version of the jar that this class came in, as the build wrote it there; null outside of a jar. */
    private static @Nullable String product() {
        try (InputStream in =
                Registrations.class.getResourceAsStream("/META-INF/maven/io.txn/txn-coordinator/pom.properties")) {
            Properties about = new Properties();
            if (in != null) {
                about.load(in);
            }
            return about.getProperty("version");
        } catch (IOException e) {
            return null; // it is for people, and nothing depends on it
        }
    }

    /** Whether one of its texts is too long, or would break the lines of logs. */
    private Admission.@Nullable Refused unfit(Registration registration) {
        Admission.Refused no = unfit("applicationId", registration.application());
        no = no == null ? unfit("transactionServiceGroup", registration.group()) : no;
        for (String resource : registration.resources() == null ? List.<String>of() : registration.resources()) {
            no = no == null ? unfit("resourceId", resource) : no;
        }
        return no;
    }

    private Admission.@Nullable Refused unfit(String field, @Nullable String text) {
        if (text == null) {
            return null;
        } else if (text.length() > limits.textLength()) {
            return no(ErrorCode.BAD_REQUEST, "field", field, "length", text.length(), "limit", limits.textLength());
        }
        return LogText.breaksLines(text)
                ? no(ErrorCode.BAD_REQUEST, "field", field, "reason", "it holds control characters")
                : null;
    }

    private List<String> resources(@Nullable String text) {
        if (text == null) {
            return List.of();
        }
        return Arrays.stream(text.split(","))
                .map(String::strip)
                .filter(resource -> !resource.isEmpty())
                .map(resource -> resource.length() <= limits.textLength() ? shared.share(resource) : resource)
                .distinct()
                .toList();
    }

    // Resource managers that depend on their transaction manager

    /** @param last whether nobody is to be waited for any more */
    private boolean admitByTransactionManager(Registration registration, boolean last) {
        Presented presented = registration.presented();
        Session manager = lender(presented);
        if (manager == null && !last) {
            return false;
        }
        decided(registration, doorkeeper.admitBy(presented, manager == null ? null : manager.credential()));
        return true;
    }

    private void park(Registration registration) {
        boolean room;
        synchronized (parked) {
            room = parked.size() < MOST_PARKED;
            if (room) {
                parked.add(new Parked(registration, clock.millis() + PATIENCE.toMillis()));
            }
        }
        if (!room) {
            admitByTransactionManager(registration, true);
        } else if (lender(registration.presented()) != null && take(registration)) {
            // It has come between the look and the parking.
            admitByTransactionManager(registration, true);
        }
    }

    private @Nullable Session lender(Presented presented) {
        return sessions.lender(presented.application(), presented.address().getHostAddress(), doorkeeper::lends);
    }

    private boolean take(Registration registration) {
        synchronized (parked) {
            return parked.removeIf(waiting -> waiting.registration() == registration);
        }
    }

    private void unpark(Session manager) {
        for (Registration registration : taken(waiting -> {
            Presented presented = waiting.registration().presented();
            return presented.application().equals(manager.client.application())
                    && presented.address().getHostAddress().equals(manager.client.host());
        })) {
            admitByTransactionManager(registration, true);
        }
    }

    /** Refuses those whose transaction manager has not come in time. To be called every second or so. */
    void endParking() {
        long now = clock.millis();
        for (Registration registration : taken(waiting -> waiting.until() <= now)) {
            admitByTransactionManager(registration, true);
        }
    }

    private List<Registration> taken(Predicate<Parked> which) {
        List<Registration> taken = new ArrayList<>();
        synchronized (parked) {
            for (Iterator<Parked> each = parked.iterator(); each.hasNext(); ) {
                Parked waiting = each.next();
                if (!waiting.registration().connection().isOpen()) {
                    each.remove();
                } else if (which.test(waiting)) {
                    each.remove();
                    taken.add(waiting.registration());
                }
            }
        }
        return taken;
    }

    // Changes

    /**
     * Closes the sessions whose proof no longer holds.
     *
     * @param trust whom TLS trusts now; null: that has not changed
     */
    void renew(@Nullable X509TrustManager trust) {
        if (trust != null) {
            trusted = trust;
        }
        sessions.withResources().forEach((session, resources) -> renew(session, resources, trust));
    }

    /** Whether what a session showed holds still; closes its connection otherwise. */
    private boolean renew(Session session, Collection<String> resources, @Nullable X509TrustManager trust) {
        Credential renewed = doorkeeper.renew(session.credential(), session.connection.peerCertificates(), trust);
        if (renewed != null
                && renewed.identity().mayBe(session.client.application())
                && resources.stream().allMatch(renewed.identity()::mayUse)) {
            session.renewed(renewed);
            return true;
        }
        LOG.warn(
                "closing a connection: clients or certificates have changed, and what it showed does not hold any more client={} as={}",
                session,
                session.credential());
        session.connection.close();
        return false;
    }
}
