package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.autoconfigure.LogLines;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What calls and answers say of a global transaction, without a network. */
class OutgoingIncomingTest {

    private static final Instant NOW = Instant.parse("2026-11-21T10:00:00Z");
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final Trust TRUST = new Trust(null, null, InstantSource.fixed(NOW));
    private static final Xid XID = new Xid("10.0.0.1:8091:77");

    private final Outgoing outgoing = new Outgoing(new ContextCarrier(), TRUST, InstantSource.fixed(NOW));
    private final Incoming incoming = new Incoming(
            () -> {
                throw new AssertionError("nothing failed");
            },
            TRUST,
            InstantSource.fixed(NOW));

    private TransactionContext arrives(Map<String, String> headers) {
        return incoming.context(
                new Arrival(name -> headers.containsKey(name) ? List.of(headers.get(name)) : List.of(), LOOPBACK));
    }

    private static TransactionContext participant(Duration left) {
        return TransactionContext.participant(XID, left == null ? null : NOW.plus(left));
    }

    private Outgoing.Call call(TransactionContext context, String method) {
        return outgoing.call(context, method, "stock/take", "stock");
    }

    @Test
    void whatACallCarriesArrives() {
        Map<String, String> headers = new HashMap<>();
        call(participant(Duration.ofSeconds(5)), "POST").write(headers::put);
        TransactionContext arrived = arrives(headers);
        assertThat(arrived).isEqualTo(participant(Duration.ofSeconds(5)));
        headers.clear();
        call(participant(null), "POST").write(headers::put);
        assertThat(headers).containsOnlyKeys(XidHeader.NAME);
        assertThat(arrives(headers)).isEqualTo(participant(null));
    }

    @Test
    void whatACallerOfSeatasConfirmsOrCancelsIsNotUndoneByItsRowsBesides() {
        Map<String, String> headers = new HashMap<>(Map.of(XidHeader.NAME, XID.value(), XidHeader.BRANCH_TYPE, "TCC"));
        assertThat(arrives(headers).mode()).isEqualTo(WorkMode.OWN);
        headers.put(XidHeader.BRANCH_TYPE, "AT");
        assertThat(arrives(headers).mode()).isEqualTo(WorkMode.AS_CONFIGURED);
    }

    @Test
    void noCallLeavesWithoutTime() {
        for (Duration left : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofNanos(999_999)}) {
            assertThatThrownBy(() -> call(participant(left), "GET").write((name, value) -> {
                        throw new AssertionError(name);
                    }))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT));
        }
    }

    @Test
    void aTimeThatIsNoneIsIgnored() {
        for (String remaining : new String[] {"", "-1", "1e3", "99999999999", "9999999999", "soon"}) {
            Map<String, String> headers = Map.of(XidHeader.NAME, XID.value(), XidHeader.REMAINING, remaining);
            assertThat(arrives(headers)).as(remaining).isEqualTo(participant(null));
        }
        assertThat(arrives(Map.of(XidHeader.REMAINING, "5"))).isNull();
    }

    @Test
    void anAnswerTellsWhatWasDoneAndWhatFailed() {
        TransactionContext callee = participant(null);
        Map<String, String> answer = new HashMap<>();
        incoming.answer(callee, answer::put);
        TransactionContext caller = participant(null);
        call(caller, "POST").answered(answer::get);
        assertThat(caller.participation().hasWorked()).isFalse();

        callee.participation().worked();
        callee.participation().mark("stock Controller.take: Störung \uD83D\uDE00 100 %");
        incoming.answer(callee, answer::put);
        call(caller, "POST").answered(answer::get);
        assertThat(caller.participation().hasWorked()).isTrue();
        assertThat(caller.participation().mark()).isEqualTo("stock Controller.take: Störung \uD83D\uDE00 100 %");
    }

    @Test
    void longFailuresFitIntoAHeader() {
        TransactionContext callee = participant(null);
        callee.participation().mark("\uD83D\uDE00".repeat(400));
        Map<String, String> answer = new HashMap<>();
        incoming.answer(callee, answer::put);
        assertThat(answer.get(XidHeader.ROLLBACK_ONLY)).hasSizeBetween(1_000, 1_500);
        assertThat(XidHeader.decoded(answer.get(XidHeader.ROLLBACK_ONLY))).startsWith("\uD83D\uDE00\uD83D\uDE00");
    }

    @Test
    void whoSaysNothingMayHaveDoneSomethingUnlessAskedToReadOnly() {
        TransactionContext reading = participant(null);
        call(reading, "GET").answered(name -> null);
        assertThat(reading.participation().hasWorked()).isFalse();
        TransactionContext writing = participant(null);
        call(writing, "PUT").answered(name -> null);
        assertThat(writing.participation().hasWorked()).isTrue();
        assertThat(writing.participation().mark()).isNull();
    }

    @Test
    void onlyACallThatMayHaveArrivedMarks() {
        for (Throwable failure : new Throwable[] {
            new ConnectException(),
            new IOException(new UnknownHostException("stock")),
            new IllegalStateException(new ConnectException())
        }) {
            TransactionContext context = participant(null);
            call(context, "POST").failed(failure);
            assertThat(context.participation().mark()).isNull();
            assertThat(context.participation().hasWorked()).isFalse();
        }
        TransactionContext context = participant(null);
        call(context, "GET").failed(new SocketTimeoutException("read"));
        assertThat(context.participation().mark()).isNull();
        call(context, "DELETE").failed(new SocketTimeoutException("read"));
        assertThat(context.participation().mark())
                .contains("no answer to DELETE stock/take")
                .contains("java.net.SocketTimeoutException");
    }

    @Test
    void strangersLearnNothingAndAreNotBelieved() {
        TransactionContext caller = participant(Duration.ofSeconds(5));
        Outgoing.Call call = outgoing.call(caller, "GET", "pay/charge", "203.0.113.9");
        call.write((name, value) -> {
            throw new AssertionError(name);
        });
        call.answered(Map.of(XidHeader.ROLLBACK_ONLY, "because", XidHeader.WORK, XidHeader.SOME_WORK)::get);
        assertThat(caller.participation().hasWorked()).isFalse();
        assertThat(caller.participation().mark()).isNull();

        // What it may have done without an answer is no less than what anybody may have done.
        outgoing.call(caller, "POST", "pay/charge", "203.0.113.9").failed(new IOException("reset"));
        assertThat(caller.participation().mark()).contains("pay/charge");
        assertThatThrownBy(() -> outgoing.call(participant(Duration.ZERO), "GET", "pay/charge", "203.0.113.9")
                        .write((name, value) -> {}))
                .isInstanceOf(TxnException.class);
    }

    @Test
    void nobodyFillsTheLogWithWhatIsNoXid() {
        try (LogLines log = LogLines.of("io.txn.spring.propagation")) {
            for (int call = 0; call < 100; call++) {
                assertThat(arrives(Map.of(XidHeader.NAME, "no xid " + call))).isNull();
            }
            assertThat(log.from(Level.WARN)).hasSize(1);
        }
    }
}
