package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LooksTest {

    private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(1);
    private final AtomicInteger begun = new AtomicInteger();

    @AfterEach
    void end() {
        thread.shutdownNow();
    }

    private Looks looks(BooleanSupplier look) {
        return new Looks(thread, Duration.ofHours(1), () -> {
            begun.incrementAndGet();
            return look.getAsBoolean();
        });
    }

    /** Behind all that is asked for until now. */
    private void awaitThread() throws Exception {
        thread.submit(() -> {}).get(60, TimeUnit.SECONDS);
    }

    @Test
    void howeverOftenItIsWantedWhileOneLooksItIsOneLookMore() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Looks looks = looks(() -> {
            first.countDown();
            await(go);
            return true;
        })) {
            looks.soon();
            await(first);
            for (int i = 0; i < 10_000; i++) {
                looks.soon();
            }
            assertThat(thread.getQueue()).as("what waits").hasSize(1);
            go.countDown();
            awaitThread();
            assertThat(begun).hasValue(2);
        }
    }

    @Test
    void eachIsLookedAtThatComesAfterALook() throws Exception {
        try (Looks looks = looks(() -> {
            throw new IllegalStateException("a look that fails is a look");
        })) {
            for (int wanted = 1; wanted <= 3; wanted++) {
                looks.soon();
                awaitThread();
                assertThat(begun).hasValueGreaterThanOrEqualTo(wanted);
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
