package io.txn.protocol.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.TxnException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestIdTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 0x0123456789abcdefL, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void isReadAsItWasWritten(long id) {
        Map<String, @Nullable String> head = new HashMap<>();
        RequestId.write(id, head);
        assertThat(head.values()).containsExactly(String.format("%016x", id));
        assertThat(RequestId.read(head)).isEqualTo(id);
    }

    @Test
    void mayBeAbsent() {
        assertThat(RequestId.read(new HashMap<>())).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "0000000000000000",
                "00000000000000001",
                "123456789abcdef",
                "0123456789ABCDEF",
                "0123456789abcdeg",
                "-123456789abcdef",
                "\u0661123456789abcdef"
            })
    void anythingElseIsRefused(String text) {
        Map<String, @Nullable String> head = new HashMap<>();
        head.put("request-id", text);
        assertThatThrownBy(() -> RequestId.read(head)).isInstanceOf(TxnException.class);
    }
}
