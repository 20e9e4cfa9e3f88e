package io.txn.coordinator.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LockKeysTest {

    @Test
    void readsWhatClientsWrite() {
        LockKeys keys = LockKeys.parse("t_two:1_p;t_acc:1,2,1", 10);
        assertThat(keys.rows())
                .containsExactly(
                        new LockKeys.Row("t_two", "1_p"),
                        new LockKeys.Row("t_acc", "1"),
                        new LockKeys.Row("t_acc", "2"));
        assertThat(keys.text()).isEqualTo("t_two:1_p;t_acc:1,2,1");
    }

    @Test
    void aSemicolonAtTheEndIsHowClientsInGoWriteIt() {
        assertThat(LockKeys.parse("stock:1,2;account:7;", 10).rows())
                .containsExactlyElementsOf(
                        LockKeys.parse("stock:1,2;account:7", 10).rows());
        assertThat(LockKeys.parse("stock:1;", 10).rows()).containsExactly(new LockKeys.Row("stock", "1"));
    }

    @Test
    void aKeyMayHoldColonsAndBlanks() {
        assertThat(LockKeys.parse("t:a:b, c", 10).rows())
                .containsExactly(new LockKeys.Row("t", "a:b"), new LockKeys.Row("t", " c"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "t", ":1", "t:", "t:1,", "t:,1", ";", "t:1;;", "t:1,;", ";t:1", "t:1;u", "t:1;;u:2"})
    void whatDoesNotHaveTheFormIsRefused(String text) {
        assertThatThrownBy(() -> LockKeys.parse(text, 10))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_REQUEST));
    }

    @Test
    void moreRowsThanAllowedAreRefusedAndNotReadToTheirEnd() {
        assertThat(LockKeys.parse("t:1,2", 2).rows()).hasSize(2);
        assertThatThrownBy(() -> LockKeys.parse("t:1,2,3", 2)).hasMessageContaining("maxRows=2");
        assertThatThrownBy(() -> LockKeys.parse("t:1;u:1;v:1;w:1,", 2)).hasMessageContaining("maxRows=2");
        assertThat(LockKeys.first("t:1;u:1,2,", 2)).hasSize(2);
    }

    @Test
    void aLongTextIsReadInOnePass() {
        String text = "t:1".repeat(1) + ";t:1".repeat(1_000_000);
        Assertions.assertTimeout(Duration.ofSeconds(10), () -> LockKeys.parse(text, 10));
    }
}
