package io.txn.coordinator.seata;

import io.txn.coordinator.access.Doorkeeper;
import io.txn.coordinator.engine.BranchCaller;
import io.txn.coordinator.engine.Engine;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.coordinator.saga.HttpTargets;
import io.txn.coordinator.seata.Answering.Asked;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RollbackCause;
import io.txn.protocol.extension.UndoConfirmation;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.transport.Outbox;
import io.txn.protocol.transport.RequestIds;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server side of Seata's protocol: registers connections, turns requests into commands, and replies into responses. IO threads come in through
 * {@link RpcHandler} and never wait; replies go out on the engine's thread. A connection that asks before {@link #serve} was called is closed.
 */
public final class SeataAdapter implements RpcHandler {

    private static final Logger LOG = LoggerFactory.getLogger(SeataAdapter.class);

    /** Clients only log it. */
    private static final String VERSION = "2.0.0";

    private final Sessions sessions = new Sessions();
    private final Outbox outbox = new Outbox();
    private final RequestIds requestIds;
    private final SharedTexts shared = new SharedTexts();
    private final BranchCalls calls;
    private final Registrations registrations;
    private final RequestLimits limits;
    private final SagaStarts sagas;
    private final Answering answering = new Answering();
    private final Leases idLeases;
    private volatile @Nullable Engine engine;
    private volatile String address = "";

    /**
     * What a request may carry at most, and how many of them a connection may have waiting.
     *
     * @param textLength characters of a name, resource id or application id
     * @param requestsPerConnection requests that are not answered yet
     */
    public record RequestLimits(
            int textLength,
            int applicationDataLength,
            int locksPerBranch,
            int requestsPerConnection,
            int resourcesPerConnection) {}

    /**
     * @param doorkeeper decides who may register
     * @param domain the lock domain, for clients that want to know
     * @param targets which HTTP endpoints may be steps of sagas
     * @param requestIds of all its connections, from another point at each start: an answer to a call of before a reconnection or a restart meets no later one
     */
    public SeataAdapter(
            Duration callTimeout,
            RequestLimits limits,
            Doorkeeper doorkeeper,
            InstantSource clock,
            String domain,
            RequestIds requestIds,
            HttpTargets targets) {
        this.sagas = new SagaStarts(targets);
        this.requestIds = requestIds;
        this.calls = new BranchCalls(sessions, outbox, callTimeout);
        this.limits = limits;
        this.idLeases = new Leases(shared, limits.textLength(), () -> address);
        this.registrations = new Registrations(
                sessions, shared, doorkeeper, clock, limits, VERSION, domain, this::resourcesAvailable);
    }

    private void resourcesAvailable(Collection<String> resources) {
        Engine serving = engine;
        if (serving != null) {
            serving.resourcesAvailable(resources);
        }
    }

    /** Refuses registrations that have waited long enough for their transaction manager. To be called every second or so. */
    public void endParking() {
        registrations.endParking();
    }

    /**
     * Closes the connections whose proof no longer holds.
     *
     * @param trust whom TLS trusts now; null: that has not changed
     */
    public void renew(@Nullable X509TrustManager trust) {
        registrations.renew(trust);
    }

    /** Carries the engine's branch calls. */
    public BranchCaller branchCaller() {
        return calls;
    }

    /**
     * Begins to serve.
     *
     * @param advertisedAddress {@code host:port} that becomes part of every XID
     */
    public void serve(Engine newEngine, String advertisedAddress) {
        address = advertisedAddress;
        engine = newEngine;
        // Those who registered before this saw no engine to tell.
        newEngine.resourcesAvailable(sessions.resources());
    }

    /**
     * Takes no more requests. From here on it is whoever closes the server who closes the connections, so that answers under way get there first.
     */
    public void stop() {
        answering.stop();
    }

    /**
     * Asks one connection of each data source to delete old records of its undo table. Nobody answers; what is lost is asked for again next time.
     *
     * @return how many were asked
     */
    public int deleteUndoLogs(int saveDays) {
        Map<String, Session> dataSources = sessions.onePerDataSource();
        dataSources.forEach((resource, session) ->
                session.connection.oneWay(new Message.UndoLogDelete(BranchType.AT, resource, (short) saveDays)));
        return dataSources.size();
    }

    /** How many connections are registered. */
    public int sessions() {
        return sessions.size();
    }

    /** How many registrations were refused. */
    public long refusedRegistrations() {
        return registrations.refused();
    }

    /** The engine's thread gathers there, for its turn. */
    @Override
    public Outbox outbox() {
        return outbox;
    }

    @Override
    public RequestIds requestIds() {
        return requestIds;
    }

    @Override
    public void closed(RpcConnection connection) {
        Session session = connection.attachment(Session.class);
        if (session != null) {
            sessions.remove(session);
            Engine serving = engine;
            if (serving != null) {
                serving.closed(session);
            }
        }
    }

    @Override
    public void received(RpcConnection connection, Frame frame) {
        if (answering.isStopping()) {
            return; // the end of the connection answers it
        }
        Message body = frame.body();
        if (body instanceof Message.RegisterTmRequest register) {
            registrations.received(connection, frame, register);
        } else if (body instanceof Message.RegisterRmRequest register) {
            registrations.received(connection, frame, register);
        } else {
            Session session = connection.attachment(Session.class);
            Engine serving = engine;
            if (session == null || serving == null) {
                registrations.asksTooEarly(connection);
            } else if (body instanceof Message.MergedRequest merged) {
                merged(serving, session, frame, merged);
            } else if (body instanceof Message.Request request) {
                handle(serving, session, request, frame, Answering.alone(session, frame));
            }
        }
    }

    // Requests

    private void merged(Engine serving, Session session, Frame frame, Message.MergedRequest merged) {
        if (merged.requests().isEmpty() && !session.takesSingleAnswers) {
            session.connection.respond(frame, new Message.MergedResponse(List.of()));
        }
        List<Asked> asked = Answering.together(session, frame, merged);
        for (int i = 0; i < asked.size(); i++) {
            handle(serving, session, merged.requests().get(i), null, asked.get(i));
        }
    }

    /** @param frame of a request that came alone; null: its head, if any, is not its own */
    private void handle(Engine serving, Session session, Message.Request request, @Nullable Frame frame, Asked asked) {
        if (request instanceof Message.GlobalBeginRequest begin) {
            begin(serving, session, begin, frame, asked);
        } else if (request instanceof Message.GlobalCommitRequest commit) {
            OnSwallowed onSwallowed = RollbackCause.onSwallowed(words(session, frame));
            RequestKey.Answer answer = RequestKey.answer(keyWords(session, frame));
            Function<Xid, Command> command = xid -> new Command.Commit(xid, onSwallowed, answer);
            decided(serving, session, commit.xid(), frame, command, Answers::commit, asked);
        } else if (request instanceof Message.GlobalRollbackRequest rollback) {
            String cause = RollbackCause.cause(words(session, frame));
            RequestKey.Answer answer = RequestKey.answer(keyWords(session, frame));
            Function<Xid, Command> command = xid -> new Command.Rollback(xid, cause, answer);
            decided(serving, session, rollback.xid(), frame, command, Answers::rollback, asked);
        } else if (request instanceof Message.GlobalStatusRequest status && asksForUndo(session, frame)) {
            confirmUndo(serving, session, status, Objects.requireNonNull(frame), asked);
        } else if (request instanceof Message.GlobalStatusRequest status && asksForSaga(session, frame)) {
            sagaStatus(serving, session, status, Objects.requireNonNull(frame), asked);
        } else if (request instanceof Message.GlobalStatusRequest status) {
            named(serving, session, status.xid(), Command.QueryTransaction::new, Answers::status, asked);
        } else if (request instanceof Message.GlobalReportRequest report) {
            globalReport(serving, session, report, RollbackCause.mark(words(session, frame)), asked);
        } else if (request instanceof Message.BranchRegisterRequest register) {
            register(serving, session, register, frame, asked);
        } else if (request instanceof Message.BranchReportRequest report) {
            report(serving, session, report, frame, asked);
        } else if (request instanceof Message.GlobalLockQueryRequest query) {
            lockQuery(serving, session, query, frame, asked);
        } else {
            LOG.warn(
                    "closing a connection whose peer is no client client={} request={}",
                    session,
                    request.getClass().getSimpleName());
            session.connection.close();
        }
    }

    /** @param mark null: the engine of a saga tells of it */
    private void globalReport(
            Engine serving, Session session, Message.GlobalReportRequest report, @Nullable String mark, Asked asked) {
        if (mark == null) {
            named(
                    serving,
                    session,
                    report.xid(),
                    xid -> SagaWords.command(xid, report.status()),
                    reply -> Answers.sagaReport(reply, report.status()),
                    asked);
        } else {
            named(serving, session, report.xid(), xid -> new Command.Mark(xid, mark), Answers::mark, asked);
        }
    }

    private static boolean asksForSaga(Session session, @Nullable Frame frame) {
        return frame != null && session.has(Feature.SAGA) && frame.head().get(SagaHead.WAIT) != null;
    }

    /** How far a saga is, at its end or when the time of the question is over. */
    private void sagaStatus(
            Engine serving, Session session, Message.GlobalStatusRequest status, Frame frame, Asked asked) {
        Xid xid = xid(status.xid());
        long wait;
        try {
            wait = SagaHead.waitOf(frame.head());
        } catch (TxnException e) {
            answer(session, new Reply.Rejected(e.code(), e.facts()), Answers::status, asked);
            return;
        }
        if (xid == null) {
            answer(session, new Reply.TransactionUnknown(null), Answers::status, asked);
            return;
        }
        // Whoever waits leaves room for others.
        AtomicInteger underWay = wait <= 0 ? session.waiting : session.waitingForRows;
        if (isTooMuch(session, underWay, Answers::status, asked)) {
            return;
        }
        Command command = wait <= 0 ? new Command.QueryTransaction(xid) : new Command.AwaitSaga(xid, wait);
        serving.submit(command, reply -> {
            underWay.decrementAndGet();
            Message.Response response = reply instanceof Reply.Known ? Answers.status(reply) : null;
            if (response != null && reply instanceof Reply.Known known) {
                Answering.respondWith(session, frame, SagaStarts.progress(known.transaction()), response);
            } else {
                answer(session, reply, Answers::status, asked);
            }
        });
    }

    private static boolean asksForUndo(Session session, @Nullable Frame frame) {
        return frame != null && session.has(Feature.UNDO_CONFIRMATION) && UndoConfirmation.branch(frame.head()) != 0;
    }

    private void confirmUndo(
            Engine serving, Session session, Message.GlobalStatusRequest status, Frame frame, Asked asked) {
        Xid xid = xid(status.xid());
        if (xid == null) {
            answer(session, new Reply.TransactionUnknown(null), Answers::status, asked);
            return;
        }
        if (isTooMuch(session, session.waiting, Answers::status, asked)) {
            return;
        }
        serving.submit(new Command.ConfirmUndo(xid, UndoConfirmation.branch(frame.head())), reply -> {
            session.waiting.decrementAndGet();
            if (reply instanceof Reply.UndoWanted || reply instanceof Reply.TransactionUnknown) {
                boolean wanted = reply instanceof Reply.UndoWanted undo && undo.wanted();
                Answering.respondWith(
                        session,
                        frame,
                        UndoConfirmation.answer(wanted),
                        new Message.GlobalStatusResponse(
                                Outcome.SUCCESS, wanted ? GlobalStatus.ROLLING_BACK : GlobalStatus.FINISHED));
            } else {
                answer(session, reply, Answers::status, asked);
            }
        });
    }

    /** What a request says about causes, if it may. */
    private static Map<String, String> words(Session session, @Nullable Frame frame) {
        return frame != null && session.has(Feature.ROLLBACK_CAUSE) ? frame.head() : Frame.EMPTY_HEAD;
    }

    /** What a request says about the key of a business request, if it may. */
    private static Map<String, String> keyWords(Session session, @Nullable Frame frame) {
        return frame != null && session.has(Feature.IDEMPOTENCY) ? frame.head() : Frame.EMPTY_HEAD;
    }

    private void begin(
            Engine serving, Session session, Message.GlobalBeginRequest begin, @Nullable Frame frame, Asked asked) {
        String name = begin.transactionName() == null ? "" : begin.transactionName();
        Reply.Rejected refusal = null;
        if (name.length() > limits.textLength()) {
            refusal = tooLong("transactionName", name, limits.textLength());
        } else if (begin.timeoutMillis() <= 0) {
            refusal = Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "timeout", "value", begin.timeoutMillis());
        }
        if (refusal != null) {
            answer(session, refusal, Answers::begin, asked);
            return;
        }
        String sagaEngine = SagaWords.isSaga(name) ? shared.share(session.sagaEngine()) : null;
        long requestId;
        Xid named;
        String key;
        Leases.Lending lending;
        Command.Begin.Saga saga;
        try {
            saga = frame != null && session.has(Feature.SAGA) ? sagas.read(name, frame.head()) : null;
            requestId = requestId(session, frame);
            key = RequestKey.read(keyWords(session, frame));
            named = frame != null && session.has(Feature.ID_LEASE) ? IdLease.transaction(frame.head()) : null;
            lending = idLeases.lending(serving, session, frame);
        } catch (TxnException e) {
            answer(session, new Reply.Rejected(e.code(), e.facts()), Answers::begin, asked);
            return;
        }
        Command command = new Command.Begin(
                address,
                shared.share(name),
                session.client,
                begin.timeoutMillis(),
                sagaEngine,
                requestId,
                named == null ? 0 : named.number(),
                key,
                saga);
        if (named != null && (key != null || !named.equals(Xid.of(address, named.number())))) {
            answer(session, Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "begin-xid"), Answers::begin, asked);
            return;
        }
        Asked lent = lending.with(asked);
        if (key == null || frame == null) {
            submit(serving, session, command, Answers::begin, lent);
            return;
        }
        AtomicReference<RequestKeys.@Nullable Entry> first = new AtomicReference<>();
        submit(
                serving,
                session,
                command,
                reply -> {
                    if (reply instanceof Reply.KeyTaken taken) {
                        first.set(taken.first());
                    }
                    return Answers.begin(reply);
                },
                new Asked() {
                    @Override
                    public void answer(Message.Response response) {
                        RequestKeys.Entry taken = first.get();
                        if (taken == null) {
                            lent.answer(response);
                        } else {
                            Answering.respondWith(session, frame, Answers.head(taken), response);
                        }
                    }

                    @Override
                    public void unanswered() {
                        lent.unanswered();
                    }
                });
    }

    private void register(
            Engine serving,
            Session session,
            Message.BranchRegisterRequest register,
            @Nullable Frame frame,
            Asked asked) {
        Xid xid = xid(register.xid());
        String data = register.applicationData();
        if (xid != null && data != null && data.length() > limits.applicationDataLength()) {
            registerTooMuch(serving, session, xid, tooLongData(data), asked);
            return;
        }
        Reply refusal = xid == null ? new Reply.TransactionUnknown(null) : check(session, register.resourceId());
        String resource = register.resourceId();
        if (refusal != null || xid == null || resource == null) {
            answer(session, refusal == null ? new Reply.TransactionUnknown(null) : refusal, Answers::register, asked);
            return;
        }
        LockKeys locks;
        long wait;
        long requestId;
        long branch;
        IdLease.Beginning beginning;
        Leases.Lending lending;
        BranchPolicy policy;
        try {
            policy = policy(session, register.branchType(), frame);
            boolean leases = frame != null && session.has(Feature.ID_LEASE);
            branch = frame != null && leases ? IdLease.branch(frame.head()) : 0;
            beginning = frame != null && leases ? IdLease.beginning(frame.head()) : null;
            locks = register.branchType() == BranchType.AT ? locks(register.lockKey()) : null;
            wait = lockWait(session, frame);
            requestId = requestId(session, frame);
            lending = idLeases.lending(serving, session, frame);
        } catch (TxnException e) {
            answer(session, new Reply.Rejected(e.code(), e.facts()), Answers::register, asked);
            return;
        }
        Command.ForRows command = new Command.RegisterBranch(
                xid,
                register.branchType(),
                shared.share(resource),
                session.client,
                locks,
                locks != null && ApplicationData.holdsLocalTransaction(data),
                data == null ? null : shared.share(data),
                register.branchType() == BranchType.SAGA ? shared.share(session.sagaEngine()) : null,
                wait,
                requestId,
                branch,
                policy);
        AtomicReference<@Nullable Reply> begun = idLeases.begunBefore(serving, session, xid, beginning);
        submitForRows(
                serving,
                session,
                command,
                frame,
                reply -> Answers.register(Leases.because(begun.get(), reply)),
                lending.with(asked));
    }

    /** Only what has ends of the business's own may say how these are called. */
    private static @Nullable BranchPolicy policy(Session session, BranchType type, @Nullable Frame frame) {
        if (frame == null || !session.has(Feature.BRANCH_POLICY)) {
            return null;
        }
        BranchPolicy policy = BranchPolicy.read(frame.head());
        if (policy != null && type != BranchType.TCC && type != BranchType.SAGA_ANNOTATION) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "branch-policy", "branchType", type);
        }
        return policy == null || policy.saysNothing() ? null : policy;
    }

    /** A decision, which may be the first that is heard of its transaction: it is recorded all the same, so that a branch that comes after it is refused. */
    private void decided(
            Engine serving,
            Session session,
            @Nullable String xidText,
            @Nullable Frame frame,
            Function<Xid, Command> command,
            Function<Reply, Message.@Nullable Response> translate,
            Asked asked) {
        Xid xid = xid(xidText);
        try {
            if (xid != null && frame != null && session.has(Feature.ID_LEASE)) {
                idLeases.begunBefore(serving, session, xid, IdLease.beginning(frame.head()));
            }
        } catch (TxnException e) {
            answer(session, new Reply.Rejected(e.code(), e.facts()), translate, asked);
            return;
        }
        named(serving, session, xidText, command, translate, asked);
    }

    private static long lockWait(Session session, @Nullable Frame frame) {
        return frame != null && session.has(Feature.LOCK_WAIT) ? LockWait.read(frame.head()) : 0;
    }

    /** As the client it proved to be, so that nobody else's request is taken for it. */
    private static long requestId(Session session, @Nullable Frame frame) {
        long id = frame != null && session.has(Feature.REQUEST_ID) ? RequestId.read(frame.head()) : 0;
        return session.identity().ownRequestId(id);
    }

    /** A command that may wait as long as its connection is there, and tells who is in the way. */
    private void submitForRows(
            Engine serving,
            Session session,
            Command.ForRows command,
            @Nullable Frame frame,
            Function<Reply, Message.@Nullable Response> translate,
            Asked asked) {
        // Whoever waits leaves room for others, of which one may give it its rows.
        AtomicInteger underWay = command.waitMillis() == 0 ? session.waiting : session.waitingForRows;
        if (isTooMuch(session, underWay, translate, asked)) {
            return;
        }
        serving.submit(command, session, reply -> {
            underWay.decrementAndGet();
            Message.Response refusal = reply instanceof Reply.LockConflict ? translate.apply(reply) : null;
            if (refusal != null
                    && frame != null
                    && session.has(Feature.LOCK_WAIT)
                    && reply instanceof Reply.LockConflict conflict) {
                Answering.respondWith(session, frame, Answers.head(conflict), refusal);
            } else {
                answer(session, reply, translate, asked);
            }
        });
    }

    /** Counts one more request that is under way; refuses it, and does not count it, where these are too many. */
    private boolean isTooMuch(
            Session session,
            AtomicInteger underWay,
            Function<Reply, Message.@Nullable Response> translate,
            Asked asked) {
        if (underWay.incrementAndGet() <= limits.requestsPerConnection()) {
            return false;
        }
        underWay.decrementAndGet();
        Reply refusal = Reply.Rejected.of(
                ErrorCode.COORDINATOR_OVERLOADED, "requestsOfConnection", limits.requestsPerConnection());
        answer(session, refusal, translate, asked);
        return true;
    }

    /** That the transaction is not known is said first, as Seata servers do. */
    private void registerTooMuch(Engine serving, Session session, Xid xid, Reply.Rejected refusal, Asked asked) {
        submit(
                serving,
                session,
                new Command.QueryTransaction(xid),
                reply -> Answers.register(reply instanceof Reply.Known ? refusal : reply),
                asked);
    }

    private Reply.Rejected tooLongData(String data) {
        return Reply.Rejected.of(
                ErrorCode.APPLICATION_DATA_TOO_LONG, "length", data.length(), "limit", limits.applicationDataLength());
    }

    private Reply.@Nullable Rejected check(Session session, @Nullable String resource) {
        if (resource == null || resource.isEmpty()) {
            return Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", "resourceId", "value", "absent");
        } else if (resource.length() > limits.textLength()) {
            return tooLong("resourceId", resource, limits.textLength());
        }
        return session.identity().mayUse(resource) ? null : notPermitted(session, resource);
    }

    private static Reply.Rejected notPermitted(Session session, String resource) {
        return Reply.Rejected.of(
                ErrorCode.RESOURCE_NOT_PERMITTED,
                "client",
                session.identity().name(),
                "application",
                session.client.application(),
                "resource",
                resource);
    }

    static Reply.Rejected tooLong(String field, String text, int limit) {
        return Reply.Rejected.of(ErrorCode.BAD_REQUEST, "field", field, "length", text.length(), "limit", limit);
    }

    private @Nullable LockKeys locks(@Nullable String text) {
        return text == null || text.isEmpty() ? null : LockKeys.parse(text, limits.locksPerBranch());
    }

    private void report(
            Engine serving, Session session, Message.BranchReportRequest report, @Nullable Frame frame, Asked asked) {
        if (frame != null && session.has(Feature.SAGA) && isOfStep(frame)) {
            completeStep(serving, session, report, frame, asked);
            return;
        }
        String data = report.applicationData();
        if (data != null && data.length() > limits.applicationDataLength()) {
            answer(session, tooLongData(data), Answers::report, asked);
            return;
        }
        boolean nothingToFinish =
                report.status() == BranchStatus.PHASE_ONE_FAILED || report.status() == BranchStatus.PHASE_ONE_READ_ONLY;
        named(
                serving,
                session,
                report.xid(),
                xid -> new Command.ReportBranch(
                        xid, report.branchId(), nothingToFinish, data == null ? null : shared.share(data)),
                Answers::report,
                asked);
    }

    private static boolean isOfStep(Frame frame) {
        return frame.head().get(SagaHead.RESULT) != null || frame.head().get(SagaHead.FAILURE) != null;
    }

    private void completeStep(
            Engine serving, Session session, Message.BranchReportRequest report, Frame frame, Asked asked) {
        Map<String, String> head = frame.head();
        String failure = SagaHead.failure(head);
        String result;
        try {
            result = failure == null ? SagaHead.said(head).result() : null;
        } catch (TxnException e) {
            answer(session, new Reply.Rejected(e.code(), e.facts()), Answers::report, asked);
            return;
        }
        named(
                serving,
                session,
                report.xid(),
                xid -> new Command.CompleteStep(xid, report.branchId(), result, failure),
                Answers::report,
                asked);
    }

    private void lockQuery(
            Engine serving, Session session, Message.GlobalLockQueryRequest query, @Nullable Frame frame, Asked asked) {
        String resource = query.resourceId();
        boolean namesRows = query.branchType() == BranchType.AT
                && query.lockKey() != null
                && !query.lockKey().isEmpty();
        Reply.Rejected refusal = resource == null && !namesRows ? null : check(session, resource);
        LockKeys locks = null;
        long wait = 0;
        if (refusal == null) {
            try {
                wait = lockWait(session, frame);
                locks = namesRows ? locks(query.lockKey()) : null;
            } catch (TxnException e) {
                refusal = new Reply.Rejected(e.code(), e.facts());
            }
        }
        if (refusal != null || locks == null || resource == null) {
            answer(session, refusal == null ? new Reply.Lockable(true) : refusal, Answers::lockable, asked);
            return;
        }
        Command.ForRows command =
                new Command.QueryLocks(xid(query.xid()), resource, locks, query.applicationData(), wait);
        submitForRows(serving, session, command, frame, Answers::lockable, asked);
    }

    private void named(
            Engine serving,
            Session session,
            @Nullable String xidText,
            Function<Xid, Command> command,
            Function<Reply, Message.@Nullable Response> translate,
            Asked asked) {
        Xid xid = xid(xidText);
        if (xid == null) {
            answer(session, new Reply.TransactionUnknown(null), translate, asked);
        } else {
            submit(serving, session, command.apply(xid), translate, asked);
        }
    }

    /** The XID a client sent, or null when it is none: no coordinator can know it then. */
    private static @Nullable Xid xid(@Nullable String text) {
        try {
            return text == null ? null : new Xid(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private void submit(
            Engine serving,
            Session session,
            Command command,
            Function<Reply, Message.@Nullable Response> translate,
            Asked asked) {
        if (isTooMuch(session, session.waiting, translate, asked)) {
            return;
        }
        serving.submit(command, reply -> {
            session.waiting.decrementAndGet();
            answer(session, reply, translate, asked);
        });
    }

    private void answer(
            Session session, Reply reply, Function<Reply, Message.@Nullable Response> translate, Asked asked) {
        answering.answer(session, reply, translate, asked);
    }
}
