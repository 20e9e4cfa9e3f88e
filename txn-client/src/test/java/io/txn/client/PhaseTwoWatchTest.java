package io.txn.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Level;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.Backoff;
import io.txn.client.rpc.ConnectionOptions;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Credentials;
import io.txn.client.rpc.Pause;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.Await;
import io.txn.test.Ports;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PhaseTwoWatchTest {

    private static final Duration MAX = Duration.ofSeconds(30);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static TransactionContext transaction(long number) {
        return TransactionContext.participant(Xid.of("127.0.0.1:8091", number));
    }

    @Test
    void whatIsGivenUpAtOnceIsAFewLines() {
        AtomicReference<Instant> now = new AtomicReference<>(START);
        try (LogLines lines = LogLines.of(PhaseTwoWatch.class.getName());
                PhaseTwoWatch watch = new PhaseTwoWatch(now::get)) {
            for (int i = 1; i <= 1_040; i++) {
                watch.add(transaction(i), () -> false);
            }
            assertThat(watch.waiting()).isEqualTo(1_000);
            assertThat(lines.from(Level.WARN))
                    .as("40 were too many, in one minute")
                    .hasSize(10);
            now.set(START.plus(Duration.ofDays(8)));
            Await.until("they were looked at and given up", MAX, () -> watch.waiting() == 0);
            assertThat(lines.from(Level.WARN)).hasSize(20);
            assertThat(lines.from(Level.WARN).get(10)).contains("xid=127.0.0.1:8091:", "notLogged=30");
        }
    }

    @Test
    @Timeout(60)
    void aLookWaitsForNoConnection() {
        InstantSource clock = InstantSource.system();
        Duration wait = Duration.ofMinutes(10);
        try (Coordinators coordinators = new Coordinators(
                new ConnectionOptions(
                        "watch",
                        "default_tx_group",
                        wait,
                        wait,
                        new Backoff(Duration.ofMillis(200), Duration.ofSeconds(1)),
                        TransportOptions.DEFAULTS,
                        null,
                        Credentials.NONE,
                        TxnObserver.NONE),
                AddressListLocator.of(List.of("127.0.0.1:" + Ports.free())),
                List::of,
                (request, head, answer) -> {},
                clock,
                new Random(1))) {
            TransactionManager manager = new TransactionManager(
                    coordinators, wait, wait, () -> wait, wait, clock, new Random(1), Pause.REAL);
            assertThat(catchThrowableOfType(TxnException.class, () -> manager.isCarriedOut(Xid.of("127.0.0.1:8091", 7)))
                            .code())
                    .isEqualTo(ErrorCode.NO_COORDINATOR);
        }
    }
}
