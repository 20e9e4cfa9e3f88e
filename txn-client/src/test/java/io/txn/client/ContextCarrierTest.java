package io.txn.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.Xid;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class ContextCarrierTest {

    private static final TransactionContext ONE = TransactionContext.participant(new Xid("h:1:1"));
    private static final TransactionContext TWO = TransactionContext.participant(new Xid("h:1:2"));

    private final ContextCarrier carrier = new ContextCarrier();

    @Test
    void nestedScopesRestoreWhatWasThereBefore() {
        assertThat(carrier.current()).isNull();
        try (ContextCarrier.Scope outer = carrier.bind(ONE)) {
            assertThat(outer).isNotNull();
            try (ContextCarrier.Scope inner = carrier.bind(TWO)) {
                assertThat(inner).isNotNull();
                assertThat(carrier.current()).isEqualTo(TWO);
            }
            assertThat(carrier.current()).isEqualTo(ONE);
            try (ContextCarrier.Scope none = carrier.suspend()) {
                assertThat(none).isNotNull();
                assertThat(carrier.current()).isNull();
            }
            assertThat(carrier.current()).isEqualTo(ONE);
        }
        assertThat(carrier.current()).isNull();
    }

    @Test
    void theLogContextHoldsTheXidWhileOneIsBound() {
        try (ContextCarrier.Scope scope = carrier.bind(ONE)) {
            assertThat(scope).isNotNull();
            assertThat(MDC.get(ContextCarrier.MDC_KEY)).isEqualTo("h:1:1");
            try (ContextCarrier.Scope none = carrier.suspend()) {
                assertThat(none).isNotNull();
                assertThat(MDC.get(ContextCarrier.MDC_KEY)).isNull();
            }
            assertThat(MDC.get(ContextCarrier.MDC_KEY)).isEqualTo("h:1:1");
        }
        assertThat(MDC.get(ContextCarrier.MDC_KEY)).isNull();
    }

    @Test
    void closingTwiceDoesNotUndoALaterBinding() {
        ContextCarrier.Scope first = carrier.bind(ONE);
        first.close();
        try (ContextCarrier.Scope second = carrier.bind(TWO)) {
            assertThat(second).isNotNull();
            first.close();
            assertThat(carrier.current()).isEqualTo(TWO);
        }
    }

    @Test
    void aScopeCannotBeClosedByAnotherThread() throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (ContextCarrier.Scope scope = carrier.bind(ONE)) {
            assertThatThrownBy(() -> other.submit(scope::close).get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(IllegalStateException.class);
            assertThat(carrier.current()).isEqualTo(ONE);
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void aTaskThatAnExecutorRejectsIsWaitedForByNobody() {
        TransactionContext context = TransactionContext.participant(new Xid("h:1:3"));
        try (ContextCarrier.Scope scope = carrier.bind(context)) {
            assertThat(scope).isNotNull();
            assertThatThrownBy(() -> carrier.wrap(task -> {
                                throw new RejectedExecutionException("full");
                            })
                            .execute(() -> {}))
                    .hasMessage("full");
        }
        assertThat(context.participation().hasChildren()).isFalse();
    }

    @Test
    void anExecutorGetsTheContextOfWhoeverHandsATaskOverAndKeepsNothing() throws Exception {
        ExecutorService plain = Executors.newSingleThreadExecutor();
        try {
            CompletableFuture<TransactionContext> seen = new CompletableFuture<>();
            try (ContextCarrier.Scope scope = carrier.bind(ONE)) {
                assertThat(scope).isNotNull();
                carrier.wrap(plain).execute(() -> seen.complete(carrier.current()));
            }
            assertThat(seen.get(10, TimeUnit.SECONDS)).isEqualTo(ONE);
            assertThat(plain.submit(carrier::current).get(10, TimeUnit.SECONDS)).isNull();
        } finally {
            plain.shutdownNow();
        }
    }

    private static void kept(TransactionContext context) {
        context.participation().worked();
    }

    @Test
    void aTaskThatKeptSomethingAndThrewIsToldOfBeforeItCountsAsOver() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        TransactionContext context = TransactionContext.participant(new Xid("h:1:4"));
        carrier.whenTasksFail((of, task, failure) -> {
            assertThat(of).isSameAs(context);
            told.add(failure.getMessage());
        });
        ExecutorService plain = Executors.newSingleThreadExecutor();
        try (ContextCarrier.Scope scope = carrier.bind(context)) {
            assertThat(scope).isNotNull();
            // Thrown through, as an executor's own threads do.
            ContextCarrier.HandedOver thrown = carrier.handOver(() -> {
                kept(context);
                throw new IllegalStateException("thrown");
            });
            context.participation().whenNoChild(() -> told.add("over"));
            assertThatThrownBy(() -> CompletableFuture.runAsync(thrown, plain).get(10, TimeUnit.SECONDS))
                    .hasRootCauseMessage("thrown");
            // Kept by a future, whether or not somebody asks it.
            carrier.wrap(plain).execute(new FutureTask<>(() -> {
                kept(context);
                throw new IOException("in the future");
            }));
            FutureTask<String> cancelled = new FutureTask<>(() -> "");
            ContextCarrier.HandedOver half = carrier.handOver(cancelled);
            cancelled.cancel(true);
            plain.submit(half).get(10, TimeUnit.SECONDS);
            // What kept nothing may fail, and what kept something may end well.
            carrier.wrap(plain).execute(new FutureTask<>(() -> {
                throw new IOException("nothing was kept");
            }));
            carrier.wrap(plain).execute(new FutureTask<>(() -> {
                kept(context);
                return "";
            }));
            plain.submit(() -> {}).get(10, TimeUnit.SECONDS);
        } finally {
            plain.shutdownNow();
        }
        assertThat(told).containsExactly("thrown", "over", "in the future");
        assertThat(context.participation().hasChildren()).isFalse();
    }

    @Test
    void capturedNothingIsRestoredAsNothing() throws Exception {
        ContextCarrier.Captured nothing = carrier.capture();
        try (ContextCarrier.Scope scope = carrier.bind(ONE)) {
            assertThat(scope).isNotNull();
            try (ContextCarrier.Scope restored = nothing.restore()) {
                assertThat(restored).isNotNull();
                assertThat(carrier.current()).isNull();
            }
            assertThat(carrier.wrap(carrier::current).call()).isEqualTo(ONE);
        }
    }

    @Test
    void twoCarriersDoNotSeeEachOther() {
        try (ContextCarrier.Scope scope = carrier.bind(ONE)) {
            assertThat(scope).isNotNull();
            assertThat(new ContextCarrier().current()).isNull();
        }
    }
}
