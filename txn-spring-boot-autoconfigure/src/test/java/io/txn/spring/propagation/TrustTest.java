package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.autoconfigure.LogLines;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose word about global transactions counts, without a network. */
class TrustTest {

    private static final String XID = "10.0.0.1:8091:77";
    private static final String KEY = "0123456789abcdef";

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-21T10:00:00Z"));
    private final InstantSource clock = now::get;

    private static InetAddress address(String text) {
        InetAddress address = Peers.address(text);
        assertThat(address).as(text).isNotNull();
        return address;
    }

    private boolean accepts(Trust trust, String from) {
        return trust.accepts(address(from), XID, "5", null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.9.9.9",
                "::1",
                "10.200.3.4",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "169.254.1.1",
                "100.64.0.1",
                "fd00::1",
                "fe80::1",
                "::ffff:10.0.0.1"
            })
    void nearHostsAreBelievedUnlessSomethingElseIsSaid(String near) {
        assertThat(accepts(new Trust(null, null, clock), near)).isTrue();
        assertThat(accepts(new Trust(Peers.of(List.of("203.0.113.0/24")), null, clock), near))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.8",
                "172.32.0.1",
                "11.0.0.1",
                "192.169.0.1",
                "100.128.0.1",
                "2001:db8::1",
                "::ffff:8.8.8.8"
            })
    void strangersAreNot(String stranger) {
        assertThat(accepts(new Trust(null, null, clock), stranger)).isFalse();
        assertThat(new Trust(null, null, clock).accepts(null, XID, null, null)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 10.1.2.3, 10.1.2.4",
        "10.1.0.0/16, 10.1.255.1, 10.2.0.1",
        "10.1.128.0/17, 10.1.128.1, 10.1.127.1",
        "2001:db8::/33, 2001:db8:7fff::1, 2001:db8:8000::1",
        "0.0.0.0/0, 8.8.8.8, 2001:db8::1"
    })
    void networksHaveEdges(String network, String within, String outside) {
        Trust trust = new Trust(Peers.of(List.of(network)), null, clock);
        assertThat(accepts(trust, within)).isTrue();
        assertThat(accepts(trust, outside)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "cafe", "shop.example", "10.1", "10.0.0.0/33", "::1/129", "10.0.0.0/x", "300.1.1.1", "1:2"})
    void whatIsNoNetworkIsRefused(String text) {
        assertThatThrownBy(() -> Peers.of(List.of(text)))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION));
    }

    @Test
    void aKeyOpensFromEverywhereAndWithoutItOnlyNamedPeersEnter() {
        Signature signature = new Signature(List.of(KEY), clock);
        Trust trust = new Trust(null, signature, clock);
        assertThat(trust.accepts(address("8.8.8.8"), XID, "5", signature.sign(XID, "5")))
                .isTrue();
        assertThat(trust.accepts(null, XID, null, signature.sign(XID, null))).isTrue();
        assertThat(accepts(trust, "127.0.0.1")).as("near, but not signed").isFalse();
        Trust withPeers = new Trust(Peers.of(List.of("10.0.0.0/8")), signature, clock);
        assertThat(accepts(withPeers, "10.9.9.9")).isTrue();
        assertThat(accepts(withPeers, "127.0.0.1")).isFalse();
    }

    @Test
    void whatWasSignedCannotBeChanged() {
        Signature signature = new Signature(List.of(KEY), clock);
        String signed = signature.sign(XID, "5");
        assertThat(signature.problem(signed, XID, "5")).isNull();
        assertThat(signature.problem(signed, XID, "6")).contains("not made with a key");
        assertThat(signature.problem(signed, XID, null)).contains("not made with a key");
        assertThat(signature.problem(signed, "10.0.0.1:8091:78", "5")).contains("not made with a key");
        String later = signed.replace(
                ":" + now.get().toEpochMilli() + ":", ":" + (now.get().toEpochMilli() + 1) + ":");
        assertThat(signature.problem(later, XID, "5")).contains("not made with a key");
        assertThat(signature.problem(null, XID, "5")).isEqualTo("it is not signed");
        for (String garbage : List.of("", "1", "1:2", "1:x:y", "2" + signed.substring(1), signed + ":x", "1:1:%%%")) {
            assertThat(signature.problem(garbage, XID, "5")).as(garbage).contains("no known form");
        }
        assertThat(new Signature(List.of(KEY + "!"), clock).problem(signed, XID, "5"))
                .contains("not made with a key");
    }

    @Test
    void aSignatureIsGoodForMinutes() {
        Signature signature = new Signature(List.of(KEY), clock);
        String signed = signature.sign(XID, "5");
        now.set(now.get().plus(Signature.FRESH));
        assertThat(signature.problem(signed, XID, "5")).isNull();
        now.set(now.get().plusMillis(1));
        assertThat(signature.problem(signed, XID, "5")).contains("300 s ago");
        now.set(now.get().minus(Signature.FRESH).minus(Signature.FRESH).minusMillis(2));
        assertThat(signature.problem(signed, XID, "5")).contains("-301 s ago");
    }

    @Test
    void aKeyIsReplacedWithoutAStop() {
        Signature old = new Signature(List.of(KEY), clock);
        Signature both = new Signature(List.of("another key of 27 bytes ...", KEY), clock);
        Signature next = new Signature(List.of("another key of 27 bytes ..."), clock);
        assertThat(both.problem(old.sign(XID, null), XID, null)).isNull();
        assertThat(next.problem(both.sign(XID, null), XID, null)).isNull();
        assertThat(next.problem(old.sign(XID, null), XID, null)).isNotNull();
        assertThatThrownBy(() -> new Signature(List.of("too short"), clock))
                .hasMessageContaining("txn.propagation.key")
                .hasMessageNotContaining("too short ");
    }

    @Test
    void whatIsDroppedIsToldOnceAnHourForEachReason() {
        Signature signature = new Signature(List.of(KEY), clock);
        Trust trust = new Trust(null, signature, clock);
        Trust open = new Trust(null, null, clock);
        try (LogLines log = LogLines.of(Trust.class.getName())) {
            for (int call = 0; call < 5; call++) {
                accepts(trust, "127.0.0.1");
                trust.ambiguous(address("10.0.0.1"), XidHeader.NAME);
                accepts(open, "8.8.8.8");
            }
            assertThat(log.from(Level.WARN)).hasSize(3).noneMatch(line -> line.contains(XID));
            assertThat(log.from(Level.WARN).get(0)).contains("127.0.0.1", "it is not signed", "0 such calls");
            now.set(now.get().plus(Duration.ofMinutes(59)));
            accepts(trust, "127.0.0.1");
            assertThat(log.from(Level.WARN)).hasSize(3);
            now.set(now.get().plus(Duration.ofMinutes(1)));
            accepts(trust, "127.0.0.1");
            assertThat(log.from(Level.WARN)).hasSize(4);
            assertThat(log.from(Level.WARN).get(3)).contains("5 such calls");
        }
    }
}
