package io.txn.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LogTextTest {

    @Test
    void whatCouldPassForALineOfOurOwnIsReplacedAndTheRestIsLeft() {
        String odd = "a\nb\r\u0000\u001b[31m\u0085\u009b\u2028\u2029\t";
        assertThat(LogText.oneLine(odd)).isEqualTo("a?b???[31m?????");
        assertThat(LogText.breaksLines(odd)).isTrue();
        String plain = "CN=Zoë \"quoted\", O=仓库 \uD83D\uDE00";
        assertThat(LogText.oneLine(plain)).isEqualTo(plain);
        assertThat(LogText.breaksLines(plain)).isFalse();
    }

    @Test
    void aLongTextIsCut() {
        assertThat(LogText.oneLine("x".repeat(1_000))).hasSize(1_000);
        assertThat(LogText.oneLine("x".repeat(100_000))).hasSize(1_001).endsWith("x…");
    }
}
