package io.txn.protocol.saga;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTextTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                " true ",
                "-0.5e+3",
                "0",
                "12",
                "\"\"",
                "\"a\\u00fF\\n\\\"\"",
                "[]",
                "[1,[2 , {}]]",
                "{\"a\":{\"b\":[null]},\"\":1}",
                "\"ü😀\"",
                "{\"a\":1,\"b\":{\"a\":1}}",
                "[{\"a\":1},{\"a\":1}]",
                "{\"\\n\":1,\"n\":1}",
                "-1e-9999",
                "1E+0001"
            })
    void theseAreValues(String text) {
        assertThat(JsonText.isValue(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "nul",
                "01",
                "1.",
                "-",
                ".5",
                "+1",
                "1e",
                "\"",
                "\"\n\"",
                "\"\\x\"",
                "\"\\u12g4\"",
                "[1,]",
                "[1 2]",
                "{a:1}",
                "{\"a\"}",
                "{\"a\":1,}",
                "1 2",
                "{}}",
                "\"a\",\"b\":2",
                "NaN",
                "'a'",
                "[",
                "{\"a\":",
                "\"\\u00F",
                "{\"a\":1,\"a\":1}",
                "{\"a\":1,\"b\":2,\"\\u0061\":3}",
                "{\"\\/\":1,\"/\":1}",
                "[{\"x\":{\"\":1,\"\":2}}]",
                "1e10000",
                "1e-00000"
            })
    void theseAreNone(String text) {
        assertThat(JsonText.isValue(text)).isFalse();
    }

    @Test
    void depthIsBounded() {
        assertThat(JsonText.isValue("[".repeat(63) + "]".repeat(63))).isTrue();
        assertThat(JsonText.isValue("[".repeat(64) + "]".repeat(64))).isFalse();
        assertThat(JsonText.isValue("[".repeat(100_000) + "]".repeat(100_000))).isFalse();
    }

    @Test
    void lengthsOfNumbersAreBounded() {
        assertThat(JsonText.isValue("[-" + "1".repeat(99) + ',' + "0." + "1".repeat(98) + ']'))
                .isTrue();
        assertThat(JsonText.isValue("-" + "1".repeat(100))).isFalse();
        assertThat(JsonText.isValue("0." + "1".repeat(99))).isFalse();
        assertThat(JsonText.isValue("1".repeat(97) + "e+10")).isFalse();
    }

    @Test
    void whateverIsQuotedIsAValue() {
        for (String plain : new String[] {"", "a\"b\\c\n\t\u0001", "ü😀", "\ud800", "x\udc00y"}) {
            assertThat(JsonText.isValue(JsonText.quoted(plain))).isTrue();
        }
        assertThat(JsonText.quoted("\ud800")).isEqualTo("\"\\ud800\"");
    }

    @Test
    void namesAreReadFromPlainStringsOnly() {
        assertThat(JsonText.plainString(" \"next\" ")).isEqualTo("next");
        assertThat(JsonText.plainString("\"a\\n\"")).isNull();
        assertThat(JsonText.plainString("\"a\"b\"")).isNull();
        assertThat(JsonText.plainString("12")).isNull();
    }
}
