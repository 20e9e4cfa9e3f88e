package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.message.Message;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A request that was sent and the answer to come.
 *
 * @param request what was asked, for messages
 * @param coordinator whom it was sent to
 * @param agreed the extensions that were agreed on over its connection
 * @param answer fails with a {@link TxnException}
 */
public record Exchange<R>(String request, HostPort coordinator, Set<Feature> agreed, CompletableFuture<R> answer) {

    /** An answer with the head of its frame. */
    public record Answered<M extends Message.Response>(M message, Map<String, String> head) {}

    /**
     * Waits for the answer, as long as the request was given. An interrupt does not end the wait, because giving up on a request that was sent
     * leaves its outcome unknown; the wait is bounded, and the interrupt is kept for whoever looks next.
     *
     * @throws TxnException {@link ErrorCode#REQUEST_TIMED_OUT}, {@link ErrorCode#CONNECTION_LOST} or whatever the answer failed with
     */
    public R await() {
        return joined(answer, null);
    }

    /** Whether the answer, or the news that there will be none, is there within that time. */
    public boolean isThereWithin(Duration time) {
        try {
            answer.get(time.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | CancellationException e) {
            return true;
        }
    }

    /**
     * The same, but waits no longer than {@code atMost}, unless it is interrupted; the answer may still come. The caller's own thread keeps the time: the one that the JDK
     * starts for {@code CompletableFuture.orTimeout} never ends, and holds the class loader of whichever application came first.
     */
    public R await(Duration atMost) {
        try {
            answer.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw failure(ErrorCode.REQUEST_TIMED_OUT, null, atMost);
        } catch (InterruptedException e) {
            try {
                return joined(answer, atMost);
            } finally {
                Thread.currentThread().interrupt();
            }
        } catch (ExecutionException e) {
            return joined(answer, atMost); // which says it
        }
        return joined(answer, atMost);
    }

    private R joined(CompletableFuture<R> result, @Nullable Duration atMost) {
        try {
            return result.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            ErrorCode code = cause instanceof TxnException known ? known.code() : ErrorCode.CONNECTION_LOST;
            // Thrown anew, so that the stack shows who asked.
            throw failure(code, cause, atMost);
        }
    }

    private TxnException failure(ErrorCode code, @Nullable Throwable cause, @Nullable Duration waited) {
        return new TxnException(code, cause, "request", request, "coordinator", coordinator, "waited", waited);
    }
}
