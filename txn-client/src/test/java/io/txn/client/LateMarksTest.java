package io.txn.client;

import io.txn.test.Await;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LateMarksTest {

    private static final Duration MAX = Duration.ofSeconds(30);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void whoThrowsIsToldAgainAndTakesNoPlaceForEver() {
        AtomicReference<Instant> now = new AtomicReference<>(START);
        InstantSource clock = now::get;
        try (LateMarks marks = new LateMarks(clock)) {
            AtomicInteger tried = new AtomicInteger();
            marks.tell(START.plusSeconds(60), () -> {
                if (tried.incrementAndGet() == 1) {
                    throw new IllegalStateException("broken for the test");
                }
                return true;
            });
            Await.until("it was told again", MAX, () -> tried.get() == 2);
            Await.until("nothing waits", MAX, () -> marks.waiting() == 0);

            marks.tell(START.plusSeconds(60), () -> {
                now.set(START.plusSeconds(61));
                throw new IllegalStateException("broken for the test, until its time is over");
            });
            Await.until("nothing waits", MAX, () -> marks.waiting() == 0);
        }
    }
}
