package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What calls to other services carry of a global transaction, and what their answers say about it: the one place that every carrier asks. Thread-safe. */
public final class Outgoing {

    private static final int MOST_CAUSES = 16;

    private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS", "TRACE");

    /** What circuit breakers, bulkheads and limits throw in place of calling, and Apache's client when nobody answers a connection. */
    private static final Set<String> REFUSALS = Set.of(
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
            "io.github.resilience4j.bulkhead.BulkheadFullException",
            "io.github.resilience4j.ratelimiter.RequestNotPermitted",
            "com.alibaba.csp.sentinel.slots.block.BlockException",
            "org.apache.hc.client5.http.ConnectTimeoutException");

    /** What repeats calls beneath the carriers, so that the failure of the last try says nothing of those before. */
    private static final Set<String> RETRIES =
            Set.of("org.springframework.retry.", "org.springframework.core.retry.", "io.github.resilience4j.retry.");

    /** As method of a call that has none of HTTP's. */
    static final String CALLS = "CALL";

    /** The same, of one that is declared to change nothing. */
    static final String READS = "GET";

    /** What this library's branches are to Seata's receivers, who heed nothing but TCC. */
    static final String BRANCH_TYPE = "AT";

    private final ContextCarrier contexts;
    private final Supplier<Trust> trust;
    private final InstantSource clock;

    public Outgoing(ContextCarrier contexts, Trust trust, InstantSource clock) {
        this(contexts, () -> trust, clock);
    }

    /** @param trust asked for the first call, so that making this reads no names and networks */
    public Outgoing(ContextCarrier contexts, Supplier<Trust> trust, InstantSource clock) {
        this.contexts = contexts;
        this.trust = trust;
        this.clock = clock;
    }

    /** How long a call of the calling thread may take; null for as long as it likes, or as far as is known. */
    @Nullable
    Duration left() {
        TransactionContext context = contexts.current();
        return context == null ? null : left(context);
    }

    private @Nullable Duration left(TransactionContext context) {
        Instant deadline = context.deadline();
        return deadline == null ? null : Duration.between(clock.instant(), deadline);
    }

    /** A call of the calling thread's transaction; null when none is bound. */
    public @Nullable Call call(String method, String target, @Nullable String host) {
        TransactionContext context = contexts.current();
        return context == null ? null : call(context, method, target, host);
    }

    /**
     * A call of a transaction.
     *
     * @param method of HTTP, which says whether a call can have changed anything
     * @param target whom it goes to, for people; without what may be secret
     * @param host the one that will be connected to, or the name of a service; null when that is not known
     */
    public Call call(TransactionContext context, String method, String target, @Nullable String host) {
        return new Call(context, SAFE.contains(method), method + ' ' + target, host);
    }

    /** One call. For one thread at a time. */
    public final class Call {

        private final TransactionContext context;
        private final boolean safe;
        private final String name;
        private final @Nullable String host;
        private final Instant began;
        private volatile boolean answered;
        private volatile @Nullable Boolean tells;
        private volatile boolean kept;

        private Call(TransactionContext context, boolean safe, String name, @Nullable String host) {
            this.host = host;
            this.context = context;
            this.safe = safe;
            this.name = name;
            this.began = clock.instant();
        }

        /** Whether this call tells of its transaction: not to hosts of strangers. May look a name up. */
        boolean tells() {
            Boolean known = tells;
            if (known == null) {
                known = trust.get().tells(host);
                tells = known;
            }
            return known;
        }

        /** Whether {@link #write} has to look a name up, for which an event loop cannot wait. */
        boolean needsLookUp() {
            return !trust.get().knows(host);
        }

        /**
         * Writes the headers. The coordinator knows the transaction when this returns. A stranger gets none, and otherwise is called like anybody.
         *
         * @throws TxnException TRANSACTION_TIMED_OUT when there is no time left: whoever is called could only refuse
         */
        public void write(BiConsumer<String, String> headers) {
            Duration left = left();
            if (left != null && left.toMillis() < 1) {
                throw new TxnException(ErrorCode.TRANSACTION_TIMED_OUT, null, "xid", context.xidWithin(), "call", name);
            }
            if (!tells()) {
                return;
            }
            String xid = context.xid().value();
            headers.accept(XidHeader.NAME, xid);
            String remaining = left == null ? null : Long.toString(left.toMillis());
            if (remaining != null) {
                headers.accept(XidHeader.REMAINING, remaining);
            }
            Signature signature = trust.get().signature();
            if (signature != null) {
                headers.accept(XidHeader.SIGNATURE, signature.sign(xid, remaining));
            }
        }

        /** The XID that it carries. */
        String xid() {
            return context.xidWithin().value();
        }

        /** How long the call may take, as far as is known. */
        public @Nullable Duration left() {
            return Outgoing.this.left(context);
        }

        /** An answer came, whatever it says. */
        public void answered(Function<String, @Nullable String> headers) {
            answered = true;
            context.participation().took(name, Duration.between(began, clock.instant()));
            boolean believed = tells();
            String work = believed ? headers.apply(XidHeader.WORK) : null;
            // Who does not say so, an older version or another product, may have done something.
            kept = work == null ? !safe : !work.equals(XidHeader.NO_WORK);
            if (kept) {
                context.participation().worked();
            }
            String mark = believed ? headers.apply(XidHeader.ROLLBACK_ONLY) : null;
            if (mark != null && !mark.isBlank()) {
                context.participation().worked();
                context.participation().mark(XidHeader.decoded(mark));
            }
        }

        /** Nobody was asked: there was nobody to ask. What came back in place of an answer was made in this process. */
        public void refused() {
            answered = true;
        }

        /** An answer came, but not to its end. What may have been kept may have failed as well. */
        public void brokeOff(Throwable failure) {
            if (kept) {
                mark("the answer to " + name + " broke off", failure);
            }
        }

        private void mark(String what, Throwable failure) {
            // Its class alone: what it says repeats the address with everything that stands in it.
            context.participation().mark(what + ": " + first(failure).getClass().getName());
        }

        /** No answer came. Whoever was called may be at work still, or come to it later: only a rollback makes that good. */
        public void failed(Throwable failure) {
            if (answered) {
                return; // whoever did not want the rest of the answer has what it says of the work
            }
            context.participation().took(name, Duration.between(began, clock.instant()));
            if (!safe && !neverSent(failure)) {
                context.participation().worked();
                mark("no answer to " + name, failure);
            }
        }
    }

    private static Throwable first(Throwable failure) {
        Throwable first = failure;
        for (int depth = 0; depth < MOST_CAUSES && first.getCause() != null; depth++) {
            first = first.getCause();
        }
        return first;
    }

    /** Whether nothing left this process: nobody was there, or something before the network said no. */
    private static boolean neverSent(Throwable failure) {
        Throwable cause = failure;
        boolean never = false;
        for (int depth = 0; depth < MOST_CAUSES && cause != null; depth++) {
            if (Stream.of(cause.getStackTrace()).anyMatch(Outgoing::isRetry)) {
                return false; // of several tries this is the last one, and another one may have gone further
            }
            never = never
                    || cause instanceof ConnectException
                    || cause instanceof UnknownHostException
                    || cause instanceof NoRouteToHostException
                    || cause instanceof HttpConnectTimeoutException
                    || cause instanceof UnresolvedAddressException
                    || cause instanceof SocketTimeoutException && isOfConnecting(cause)
                    || cause instanceof IllegalStateException && isOfTheLoadBalancer(cause)
                    || isRefusal(cause.getClass());
            cause = cause.getCause();
        }
        return never;
    }

    private static boolean isRetry(StackTraceElement frame) {
        return RETRIES.stream().anyMatch(frame.getClassName()::startsWith);
    }

    private static boolean isOfConnecting(Throwable timeout) {
        return Stream.of(timeout.getStackTrace())
                .anyMatch(frame -> frame.getMethodName().equals("connect")
                        && (frame.getClassName().equals("java.net.Socket")
                                || frame.getClassName().equals("sun.nio.ch.NioSocketImpl")));
    }

    /** Of Spring Cloud's, which has found nobody. */
    private static boolean isOfTheLoadBalancer(Throwable failure) {
        StackTraceElement[] trace = failure.getStackTrace();
        return trace.length > 0
                && (trace[0].getClassName().startsWith("org.springframework.cloud.loadbalancer.")
                        || trace[0].getClassName().startsWith("org.springframework.cloud.client.loadbalancer."));
    }

    private static boolean isRefusal(Class<?> failure) {
        for (Class<?> type = failure; type != null; type = type.getSuperclass()) {
            if (REFUSALS.contains(type.getName())) {
                return true;
            }
        }
        return false;
    }
}
