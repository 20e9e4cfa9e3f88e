package io.txn.coordinator.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LockKeysTest {

    private static List<String> rows(String text) {
        return LockKeys.parse(text, 100).rows().stream()
                .map(LockKeys.Row::toString)
                .toList();
    }

    @Test
    void groupsAndRowsAreReadInOrderAndOnce() {
        assertThat(rows("t_two:1_p;t_acc:1,2,1")).containsExactly("t_two:1_p", "t_acc:1", "t_acc:2");
    }

    @Test
    void aSemicolonAtTheEndIsHowClientsInGoWriteIt() {
        assertThat(rows("stock:1,2;account:7;")).containsExactly("stock:1", "stock:2", "account:7");
        assertThat(rows("stock:1;")).containsExactly("stock:1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"stock", ":1", "stock:", "stock:1,", "stock:,1", ";", ";stock:1", "stock:1;;", "stock:1;;t:2"})
    void whatIsNotUnderstoodIsRefused(String text) {
        assertThatThrownBy(() -> LockKeys.parse(text, 100))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_REQUEST));
    }

    @Test
    void tooManyRowsAreRefusedAndNotReadToTheirEnd() {
        assertThat(LockKeys.parse("t:1,2,3", 3).rows()).hasSize(3);
        assertThatThrownBy(() -> LockKeys.parse("t:1,2,3,4", 3)).hasMessageContaining("maxRows=3");
        assertThatThrownBy(() -> LockKeys.parse("t:1;u:1;v:1;w:1,", 3)).hasMessageContaining("maxRows=3");
        assertThat(LockKeys.first("t:1;u:1,2,", 2)).hasSize(2);
    }
}
