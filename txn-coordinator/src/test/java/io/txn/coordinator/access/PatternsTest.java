package io.txn.coordinator.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PatternsTest {

    @Test
    void aStarStandsForAnythingAndTheRestForItself() {
        assertThat(Patterns.matches("orders", "orders")).isTrue();
        assertThat(Patterns.matches("orders", "orders2")).isFalse();
        assertThat(Patterns.matches("orders", "Orders")).isFalse();
        assertThat(Patterns.matches("order?", "orders")).isFalse();
        assertThat(Patterns.matches("jdbc:mysql://db/*", "jdbc:mysql://db/shop"))
                .isTrue();
        assertThat(Patterns.matches("jdbc:mysql://db/*", "jdbc:mysql://db")).isFalse();
        assertThat(Patterns.matches("*", "")).isTrue();
        assertThat(Patterns.matches("", "")).isTrue();
        assertThat(Patterns.matches("", "x")).isFalse();
        assertThat(Patterns.matches("a*b*c", "a-b-b-c")).isTrue();
        assertThat(Patterns.matches("a*b*c", "a-c-b")).isFalse();
        assertThat(Patterns.matches("**x", "x")).isTrue();
    }

    @Test
    void noneMatchEverythingAndOneOfManyIsEnough() {
        assertThat(Patterns.ANY.match("whatever")).isTrue();
        assertThat(new Patterns(List.of("orders", "stock-*")).match("stock-7")).isTrue();
        assertThat(new Patterns(List.of("orders", "stock-*")).match("accounts")).isFalse();
    }

    @Test
    @Timeout(10)
    void aHostileTextTakesNoExponentialTime() {
        assertThat(Patterns.matches("a*".repeat(30) + "b", "a".repeat(4_000))).isFalse();
    }
}
