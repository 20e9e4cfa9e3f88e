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
                "\"ü😀\""
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
                "\"\\u00F"
            })
    void theseAreNone(String text) {
        assertThat(JsonText.isValue(text)).isFalse();
    }

    @Test
    void depthIsBounded() {
        assertThat(JsonText.isValue("[".repeat(100) + "]".repeat(100))).isTrue();
        assertThat(JsonText.isValue("[".repeat(100_000) + "]".repeat(100_000))).isFalse();
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
