package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom calls tell of global transactions. */
class TargetsTest {

    private static final Map<String, List<String>> NAMES = Map.of(
            "stock.internal.example", List.of("10.1.2.3"),
            "orders.example.com", List.of("192.168.7.7", "fd00::7"),
            "api.pay.example", List.of("203.0.113.9"),
            "half.example.com", List.of("10.1.2.3", "203.0.113.9"));

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
    private final InstantSource clock = now::get;
    private final AtomicInteger lookUps = new AtomicInteger();
    private final Targets near = Targets.nearAnd(List.of(), this::addresses, clock);

    private InetAddress[] addresses(String host) throws UnknownHostException {
        lookUps.incrementAndGet();
        List<String> found = NAMES.get(host);
        if (found == null) {
            throw new UnknownHostException(host);
        }
        InetAddress[] addresses = new InetAddress[found.size()];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = InetAddress.getByName(found.get(i));
        }
        return addresses;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "[::1]",
                "localhost",
                "stock",
                "stock_service",
                "10.1.2.3",
                "[fd00::1]",
                "stock.internal.example",
                "Orders.Example.COM.",
                "com.example.stock"
            })
    void nobodyHasToNameWhoIsNear(String host) {
        assertThat(near.contain(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.9", "[2001:db8::9]", "api.pay.example", "API.pay.example", "half.example.com"})
    void publicAddressesAreTold(String host) {
        assertThat(near.contain(host)).isFalse();
    }

    @Test
    void namedOnesAndNobodyElse() {
        Targets named = Targets.only(List.of("*.pay.example", "stock", "10.1.0.0/16", "203.0.113.9"), clock);
        assertThat(List.of("api.pay.example", "a.b.pay.example", "STOCK", "10.1.9.9", "203.0.113.9"))
                .allMatch(named::contain);
        assertThat(List.of("pay.example", "orders", "10.2.0.1", "127.0.0.1", "203.0.113.10", "localhost."))
                .noneMatch(named::contain);
        assertThat(Targets.only(List.of("*"), clock).contain("203.0.113.10")).isTrue();
        assertThatThrownBy(() -> Targets.only(List.of(), clock))
                .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.BAD_CONFIGURATION));
    }

    /** What the line of log for a public one advises must not take the others out of the transaction. */
    @Test
    void namedOnesBesidesThoseWhoAreNear() {
        Targets targets = Targets.nearAnd(List.of("*.pay.example", "203.0.113.0/28"), this::addresses, clock);
        assertThat(List.of("api.pay.example", "203.0.113.9", "half.example.com"))
                .allMatch(targets::contain);
        assertThat(List.of("127.0.0.1", "localhost", "stock", "10.1.2.3", "stock.internal.example", "nobody.example"))
                .allMatch(targets::contain);
        assertThat(List.of("203.0.113.99", "[2001:db8::9]")).noneMatch(targets::contain);
        assertThat(Targets.nearAnd(List.of("*"), clock).contain("203.0.113.99")).isTrue();
    }

    @Test
    void aNameIsLookedUpOnceAMinute() {
        assertThat(near.knows("api.pay.example")).isFalse();
        near.contain("api.pay.example");
        near.contain("api.pay.example");
        assertThat(near.knows("api.pay.example")).isTrue();
        assertThat(lookUps).hasValue(1);
        now.set(now.get().plus(Duration.ofMinutes(2)));
        assertThat(near.knows("api.pay.example")).isFalse();
        near.contain("api.pay.example");
        assertThat(lookUps).hasValue(2);
        near.contain("stock");
        near.contain("127.0.0.1");
        assertThat(lookUps).hasValue(2);
    }

    @Test
    void theHostOfAUrlWhateverLettersItHas() {
        assertThat(Targets.hostOf(URI.create("http://stock_service:8080/a"))).isEqualTo("stock_service");
        assertThat(Targets.hostOf(URI.create("http://user:pass@api.pay.example/a")))
                .isEqualTo("api.pay.example");
        assertThat(Targets.hostOf("10.1.2.3:50051")).isEqualTo("10.1.2.3");
        assertThat(Targets.hostOf("https://api.pay.example/v1")).isEqualTo("api.pay.example");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://stock", "10.1.0.0/33", "*example.com", "a b", ""})
    void whatIsNoHostIsRefused(String pattern) {
        assertThatThrownBy(() -> Targets.nearAnd(List.of(pattern), clock))
                .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.BAD_CONFIGURATION));
    }
}
