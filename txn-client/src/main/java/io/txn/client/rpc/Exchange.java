package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.Message;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A request that was sent and the answer to come.
 *
 * @param request what was asked, for messages
 * @param coordinator whom it was sent to
 * @param answer fails with a {@link TxnException}
 */
public record Exchange<R extends Message.Response>(String request, HostPort coordinator, CompletableFuture<R> answer) {

    /**
     * Waits for the answer. An interrupt does not end the wait, because giving up on a request that was sent leaves its outcome unknown;
     * the wait is bounded and the thread's interrupt is kept for whoever looks next.
     *
     * @throws TxnException {@link ErrorCode#REQUEST_TIMED_OUT}, {@link ErrorCode#CONNECTION_LOST} or whatever the answer failed with
     */
    public R await(Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (TimeoutException e) {
                    throw failure(ErrorCode.REQUEST_TIMED_OUT, null, timeout);
                } catch (ExecutionException e) {
                    Throwable cause = e.getCause() == null ? e : e.getCause();
                    // Thrown anew, so that the stack shows who asked.
                    throw failure(
                            cause instanceof TxnException known ? known.code() : ErrorCode.CONNECTION_LOST,
                            cause,
                            null);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private TxnException failure(ErrorCode code, @Nullable Throwable cause, @Nullable Duration waited) {
        return new TxnException(code, cause, "request", request, "coordinator", coordinator, "waited", waited);
    }
}
