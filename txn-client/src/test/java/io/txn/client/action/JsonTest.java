package io.txn.client.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.txn.protocol.saga.JsonText;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a coordinator takes for JSON is passed on to clients, who have to be able to read it. */
class JsonTest {

    private static final String[] PARTS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\\u0061\"",
        "\"b\"",
        "\"\\/\"",
        "\"/\"",
        "0",
        "-12",
        "01",
        "1.5",
        "1e9999",
        "1e99999",
        "null",
        "true",
        " ",
        "{\"a\":",
        "{\"a\":1,",
        "[[",
        "1".repeat(100),
        "1".repeat(101)
    };

    private static void readable(String result) {
        String given = "{\"input\":" + result + ",\"results\":{\"one\":" + result + "},\"result\":" + result + "}";
        assertThatCode(() -> Json.readAny(given)).as(given).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "{\"\\/\":1,\"/\":1}", "1e10000", "1e-00000"})
    void whatClientsDoNotReadIsNoValueForTheCoordinator(String text) {
        assertThatCode(() -> Json.readAny(text)).isInstanceOf(Json.MalformedException.class);
        assertThat(JsonText.isValue(text)).isFalse();
    }

    @Test
    void numbersEndWhereClientsNoLongerReadThem() {
        readable("1".repeat(100));
        assertThat(JsonText.isValue("1".repeat(100))).isTrue();
        assertThatCode(() -> Json.readAny("1".repeat(101))).isInstanceOf(Json.MalformedException.class);
        assertThat(JsonText.isValue("1".repeat(101))).isFalse();
    }

    @Test
    void whatIsAsDeepAsTheCoordinatorTakesIsReadWhereItIsPassedOnTo() {
        int depth = 1;
        while (JsonText.isValue("[".repeat(depth + 1) + "]".repeat(depth + 1))) {
            depth++;
        }
        assertThat(depth).isGreaterThan(32);
        readable("[".repeat(depth) + "]".repeat(depth));
        readable("{\"a\":".repeat(depth - 1) + "1" + "}".repeat(depth - 1));
    }

    @Test
    void whateverTheCoordinatorTakesIsReadWhereItIsPassedOnTo() {
        long seed = Long.getLong("txn.test.seed", 7);
        SplittableRandom random = new SplittableRandom(seed);
        int taken = 0;
        for (int i = 0; i < 300_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int parts = 1 + random.nextInt(9); parts > 0; parts--) {
                text.append(PARTS[random.nextInt(PARTS.length)]);
            }
            if (JsonText.isValue(text.toString())) {
                taken++;
                readable(text.toString());
            }
        }
        assertThat(taken).as("seed %s", seed).isGreaterThan(1_000);
    }
}
