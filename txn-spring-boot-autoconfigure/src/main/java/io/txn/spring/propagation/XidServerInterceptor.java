package io.txn.spring.propagation;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Binds the XID that a call of gRPC carries to the thread of each of its callbacks, as a participant. The trailers say whether something was kept, and whether the
 * transaction may only be rolled back. It belongs outermost: what an interceptor makes of an exception closes the call through this one.
 */
public final class XidServerInterceptor implements ServerInterceptor {

    private final ContextCarrier contexts;
    private final Incoming incoming;

    public XidServerInterceptor(ContextCarrier contexts, Incoming incoming) {
        this.contexts = contexts;
        this.incoming = incoming;
    }

    @Override
    @SuppressWarnings("try") // the scope is opened for its closing
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        TransactionContext context = incoming.context(new Arrival(name -> values(headers, name), from(call)));
        if (context == null) {
            return next.startCall(call, headers);
        }
        Answering<Q, R> answering = new Answering<>(call, context);
        try (ContextCarrier.Scope scope = contexts.bind(context)) {
            return new Bound<>(next.startCall(answering, headers), answering, context);
        }
    }

    private static List<String> values(Metadata headers, String name) {
        Iterable<String> values = headers.getAll(GrpcKeys.of(name));
        return values == null
                ? List.of()
                : StreamSupport.stream(values.spliterator(), false).toList();
    }

    /** Calls within the process or the machine have no address of IP. */
    private static @Nullable InetAddress from(ServerCall<?, ?> call) {
        SocketAddress from = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        return from instanceof InetSocketAddress address ? address.getAddress() : InetAddress.getLoopbackAddress();
    }

    /** Says at its end what became of the work. */
    private final class Answering<Q, R> extends SimpleForwardingServerCall<Q, R> {

        private final TransactionContext context;
        private volatile boolean closed;

        Answering(ServerCall<Q, R> delegate, TransactionContext context) {
            super(delegate);
            this.context = context;
        }

        @Override
        public void close(Status status, Metadata trailers) {
            closed = true;
            if (!status.isOk()) {
                incoming.failed(
                        context,
                        getMethodDescriptor().getFullMethodName(),
                        Objects.requireNonNullElseGet(status.getCause(), status::asRuntimeException));
            }
            // What is handed to other threads belongs to the call, whatever it has answered so far.
            incoming.answers(context, getMethodDescriptor().getFullMethodName());
            incoming.answer(context, (name, value) -> {
                trailers.discardAll(GrpcKeys.of(name));
                trailers.put(GrpcKeys.of(name), value);
            });
            super.close(status, trailers);
        }
    }

    /** Binds the context around each callback. */
    private final class Bound<Q> extends SimpleForwardingServerCallListener<Q> {

        private final Answering<Q, ?> call;
        private final TransactionContext context;

        Bound(ServerCall.Listener<Q> delegate, Answering<Q, ?> call, TransactionContext context) {
            super(delegate);
            this.call = call;
            this.context = context;
        }

        @SuppressWarnings("try") // the scope is opened for its closing
        private void bound(Runnable callback) {
            try (ContextCarrier.Scope scope = contexts.bind(context)) {
                callback.run();
            }
        }

        /** gRPC would close a call that throws without asking this interceptor, so the answer would say nothing. */
        private void handled(Runnable callback) {
            try {
                bound(callback);
            } catch (Throwable failure) {
                if (!call.closed) {
                    call.close(
                            Status.UNKNOWN
                                    .withDescription("Application error processing RPC")
                                    .withCause(failure),
                            new Metadata());
                }
                throw failure;
            }
        }

        @Override
        public void onMessage(Q message) {
            handled(() -> super.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            handled(super::onHalfClose);
        }

        @Override
        public void onReady() {
            handled(super::onReady);
        }

        @Override
        public void onCancel() {
            bound(super::onCancel);
        }

        @Override
        public void onComplete() {
            bound(super::onComplete);
        }
    }
}
