package io.txn.spring.propagation;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes the calling thread's global transaction along with calls of gRPC, in metadata of the same names as the headers of HTTP. No call takes longer than its transaction has time,
 * and no transaction ends before its calls. An XID that the application set itself stays.
 */
public final class XidClientInterceptor implements ClientInterceptor {

    private final ContextCarrier contexts;
    private final Outgoing outgoing;

    public XidClientInterceptor(ContextCarrier contexts, Outgoing outgoing) {
        this.contexts = contexts;
        this.outgoing = outgoing;
    }

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        TransactionContext context = contexts.current();
        if (context == null) {
            return next.newCall(method, options);
        }
        Outgoing.Call call = outgoing.call(
                context,
                method.isSafe() ? Outgoing.READS : Outgoing.CALLS,
                method.getFullMethodName(),
                host(next.authority()));
        return new SimpleForwardingClientCall<>(next.newCall(method, bounded(options, call.left()))) {

            @Override
            public void start(Listener<R> listener, Metadata headers) {
                if (headers.containsKey(GrpcKeys.of(XidHeader.NAME))) {
                    super.start(listener, headers);
                    return;
                }
                call.write((name, value) -> headers.put(GrpcKeys.of(name), value));
                if (call.tells()) {
                    headers.put(GrpcKeys.of(XidHeader.BRANCH_TYPE), Outgoing.BRANCH_TYPE);
                }
                Runnable over = UnderWay.of(contexts, context);
                try {
                    super.start(new Answer<>(listener, call, over), headers);
                } catch (Throwable e) {
                    over.run();
                    throw e;
                }
            }
        };
    }

    private static @Nullable String host(@Nullable String authority) {
        return authority == null ? null : Targets.hostOf(authority);
    }

    private static CallOptions bounded(CallOptions options, @Nullable Duration left) {
        // The shorter of two deadlines counts in gRPC; one that has passed is said when the headers are written.
        return left == null || left.toMillis() < 1
                ? options
                : options.withDeadline(
                        shorter(options, io.grpc.Deadline.after(left.toMillis(), TimeUnit.MILLISECONDS)));
    }

    private static io.grpc.Deadline shorter(CallOptions options, io.grpc.Deadline own) {
        io.grpc.Deadline given = options.getDeadline();
        return given == null ? own : given.minimum(own);
    }

    /** Reads what the end of a call says. */
    private static final class Answer<R> extends SimpleForwardingClientCallListener<R> {

        private final Outgoing.Call call;
        private final Runnable over;

        Answer(ClientCall.Listener<R> delegate, Outgoing.Call call, Runnable over) {
            super(delegate);
            this.call = call;
            this.over = over;
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            try {
                if (trailers.containsKey(GrpcKeys.of(XidHeader.WORK)) || answered(status)) {
                    call.answered(name -> trailers.get(GrpcKeys.of(name)));
                } else {
                    call.failed(Objects.requireNonNullElseGet(status.getCause(), status::asRuntimeException));
                }
            } finally {
                over.run();
            }
            super.onClose(status, trailers);
        }

        /** Whether the one that was called made this status; these here are mostly the client's own. */
        private static boolean answered(Status status) {
            return switch (status.getCode()) {
                case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> false;
                default -> true;
            };
        }
    }
}
