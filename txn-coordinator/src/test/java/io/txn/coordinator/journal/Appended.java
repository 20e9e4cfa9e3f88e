package io.txn.coordinator.journal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One record handed to a journal, and its answer. */
final class Appended implements Completion {

    static final int PATIENCE_SECONDS = 60;

    private final CompletableFuture<Long> answer = new CompletableFuture<>();
    private String thread = "";

    static Appended to(Journal journal, String text) {
        Appended appended = new Appended();
        journal.append(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), appended);
        return appended;
    }

    /** Handed over, and not to be written before somebody flushes. */
    static Appended staged(Journal journal, String text) {
        Appended appended = new Appended();
        journal.stage(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), appended);
        return appended;
    }

    @Override
    public void durable(long index) {
        thread = Thread.currentThread().getName();
        if (!answer.complete(index)) {
            throw new AssertionError("answered twice");
        }
    }

    @Override
    public void failed(Throwable cause) {
        thread = Thread.currentThread().getName();
        if (!answer.completeExceptionally(cause)) {
            throw new AssertionError("answered twice");
        }
    }

    long index() {
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | InterruptedException | TimeoutException e) {
            throw new AssertionError("the record did not become durable", e);
        }
    }

    Throwable failure() {
        try {
            throw new AssertionError("the record became durable: " + answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            return java.util.Objects.requireNonNull(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no answer", e);
        }
    }

    boolean isAnswered() {
        return answer.isDone();
    }

    String thread() {
        return thread;
    }
}
