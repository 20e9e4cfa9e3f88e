package io.txn.coordinator.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
    void inWhateverOrderTheyComeEveryRowIsThereOnce() {
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 7));
        for (int i = 0; i < 2_000; i++) {
            List<LockKeys.Row> written = new ArrayList<>();
            StringJoiner text = new StringJoiner(";");
            for (int groups = 1 + random.nextInt(3); groups > 0; groups--) {
                String table = "t" + random.nextInt(2);
                int[] keys = random.ints(1 + random.nextInt(5), 0, 12).toArray();
                if (random.nextBoolean()) {
                    Arrays.sort(keys);
                }
                IntStream.of(keys).forEach(key -> written.add(new LockKeys.Row(table, "" + key)));
                text.add(table
                        + ':'
                        + IntStream.of(keys).mapToObj(Integer::toString).collect(Collectors.joining(",")));
            }
            assertThat(LockKeys.parse(text.toString(), 100).rows())
                    .as(text.toString())
                    .containsExactlyElementsOf(new LinkedHashSet<>(written));
        }
    }

    @Test
    void aLongTextIsReadInOnePass() {
        String text = "t:1".repeat(1) + ";t:1".repeat(1_000_000);
        Assertions.assertTimeout(Duration.ofSeconds(10), () -> LockKeys.parse(text, 10));
    }

    /** Short of reading the name once for each row, which takes minutes. */
    @Test
    void manyRowsOfATableWithALongNameAreReadInOnePass() {
        StringJoiner rows = new StringJoiner(",", "x".repeat(5_000_000) + ":", "");
        for (int i = 0; i < 10_000; i++) {
            rows.add(Integer.toString(100_000 + i));
        }
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> assertThat(LockKeys.parse(rows.toString(), 10_000).rows()).hasSize(10_000));
    }
}
