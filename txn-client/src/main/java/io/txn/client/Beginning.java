package io.txn.client;

import io.txn.client.rpc.ConnectionRole;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Exchange;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.message.Message;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One begin and its tries, all under one id: a coordinator that knows it again answers with the transaction that it opened for an earlier try. For one
 * thread.
 */
final class Beginning {

    /** How long an answer to a try that nobody waits for any more is still listened to, in order to roll back what it opened. */
    private static final Duration LATE_WAIT = Duration.ofSeconds(30);

    private final Coordinators coordinators;
    private final Message.GlobalBeginRequest request;
    private final long id;
    private final Duration requestTimeout;
    private final List<Exchange<Exchange.Answered<Message.GlobalBeginResponse>>> unanswered = new ArrayList<>();
    private final @Nullable Xid named;
    private final @Nullable String key;
    private final @Nullable Saga saga;
    private boolean known;
    private @Nullable Exchange<?> timedOut;

    /** The last try that may have begun it without anybody's knowing here. */
    private @Nullable Exchange<?> lost;

    private boolean unsure;

    /** What a begin hands over that starts a saga, as the wire has it. */
    record Saga(String plan, String input) {}

    /**
     * @param saga null for a transaction that is none
     * @param named the lent id that the transaction is to have, null for any
     * @param key by what the business calls the request, null for nothing
     */
    Beginning(
            Coordinators coordinators,
            String name,
            Duration timeout,
            long id,
            @Nullable Xid named,
            @Nullable String key,
            @Nullable Saga saga,
            Duration requestTimeout) {
        this.saga = saga;
        this.named = named;
        this.key = key;
        this.coordinators = coordinators;
        this.request = new Message.GlobalBeginRequest(Math.toIntExact(timeout.toMillis()), name);
        this.id = id;
        this.requestTimeout = requestTimeout;
    }

    /** @throws TxnException NO_COORDINATOR, CONNECTION_LOST, REQUEST_TIMED_OUT … */
    Exchange.Answered<Message.GlobalBeginResponse> ask(Duration connectWait) {
        Exchange<Exchange.Answered<Message.GlobalBeginResponse>> exchange = coordinators.send(
                ConnectionRole.TM,
                named,
                request,
                this::head,
                Message.GlobalBeginResponse.class,
                requestTimeout.plus(LATE_WAIT),
                connectWait,
                // A transaction that was begun twice ends at its deadline; a saga would run twice.
                saga == null ? timedOut : lost);
        known = exchange.agreed().contains(Feature.REQUEST_ID);
        timedOut = null;
        try {
            return exchange.await(requestTimeout);
        } catch (TxnException e) {
            if (e.code() == ErrorCode.REQUEST_TIMED_OUT) {
                unanswered.add(exchange);
                timedOut = exchange;
            }
            if (e.code().category() == ErrorCode.Category.UNKNOWN_OUTCOME) {
                lost = exchange;
                unsure = true;
            }
            throw e;
        }
    }

    /** Whether a further try would not begin a second one that matters. */
    boolean mayBeRepeated() {
        return saga == null || lost == null || known;
    }

    /** There was an answer that does not say what was begun. */
    void answeredInVain() {
        unsure = true;
    }

    /** What a begin that is given up fails with: nobody may say that no saga was started once a try of it was lost. */
    TxnException failure(TxnException failure) {
        if (saga == null || !unsure) {
            return failure;
        }
        return new TxnException(
                ErrorCode.SAGA_START_UNKNOWN, failure, "saga", request.transactionName(), "hasKey", key != null);
    }

    private Map<String, String> head(Set<Feature> agreed, int idsWanted) {
        Map<String, String> head = new LinkedHashMap<>();
        if (agreed.contains(Feature.REQUEST_ID)) {
            RequestId.write(id, head);
        }
        if (key != null) {
            writeKey(key, agreed, head);
        }
        if (saga != null) {
            writeSaga(saga, agreed, head);
        }
        if (agreed.contains(Feature.ID_LEASE)) {
            IdLease.ask(idsWanted, head);
            if (named != null) {
                IdLease.nameTransaction(named, head);
            }
        } else if (named != null) {
            throw new TxnException(
                    ErrorCode.NO_COORDINATOR,
                    null,
                    "xid",
                    named,
                    "problem",
                    "it lends no ids, so it is not the one that this transaction was to begin at");
        }
        return head;
    }

    /** Without it a repeated request would run again, and nobody would know. */
    private static void writeKey(String key, Set<Feature> agreed, Map<String, String> head) {
        if (!agreed.contains(Feature.IDEMPOTENCY)) {
            throw new TxnException(
                    ErrorCode.NO_COORDINATOR, null, "problem", "the coordinator does not know of idempotency keys");
        }
        RequestKey.write(key, head);
    }

    /** Without it a coordinator would open a transaction that nobody drives. */
    private static void writeSaga(Saga saga, Set<Feature> agreed, Map<String, String> head) {
        if (!agreed.contains(Feature.SAGA)) {
            throw new TxnException(ErrorCode.NO_COORDINATOR, null, "problem", "the coordinator does not drive sagas");
        }
        SagaHead.start(saga.plan, saga.input, head);
    }

    /** Whether the coordinator that was asked last would know the request again. */
    boolean isKnown() {
        return known;
    }

    /**
     * No further try is made.
     *
     * @param used the transaction that came of it, or null; any other one that still turns up is given to {@code abandon}, on an event loop
     */
    void settle(@Nullable Xid used, Consumer<Xid> abandon) {
        for (Exchange<Exchange.Answered<Message.GlobalBeginResponse>> exchange : unanswered) {
            exchange.answer().thenAccept(late -> {
                Xid xid = xidOf(late.message());
                if (xid != null && late.message().outcome().succeeded() && !xid.equals(used)) {
                    abandon.accept(xid);
                }
            });
        }
    }

    static @Nullable Xid xidOf(Message.GlobalBeginResponse answer) {
        try {
            return answer.xid() == null ? null : new Xid(answer.xid());
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
