package io.txn.client.jdbc.undo;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.dialect.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

class LockKeysTest {

    private static Value text(String text) {
        return new Value.Text(text);
    }

    private static TableChange change(String table, List<List<Value>> rows) {
        return new TableChange(
                TableChange.Kind.INSERT,
                "s",
                table,
                table,
                List.of(
                        new ImageColumn("v", "int", -1, false),
                        new ImageColumn("k2", "int", 1, false),
                        new ImageColumn("k1", "int", 0, false)),
                rows.stream().map(r -> new RowChange(null, r)).toList());
    }

    @Test
    void keysAreSortedEachOnceInTheKeysOwnOrder() {
        assertThat(LockKeys.of(List.of(
                        change(
                                "t",
                                List.of(
                                        List.of(text("x"), text("2"), text("b")),
                                        List.of(text("x"), text("1"), text("a")))),
                        change("a", List.of(List.of(text("x"), text("9"), text("9")))),
                        change("t", List.of(List.of(text("y"), text("2"), text("b")))))))
                .isEqualTo("a:9_9;t:a_1,b_2");
        assertThat(LockKeys.of(List.of())).isEmpty();
    }

    @Test
    void theColumnsOfACompositeKeyStandAsInSeatasClients() {
        List<Value> values = List.of(text("1"), text("2"));
        // As seen of seata-all 2.6.0: neither the key's order nor that of the names.
        assertThat(LockKeys.of("t", List.of("warehouse", "item"), List.of(values)))
                .isEqualTo("t:2_1");
        assertThat(LockKeys.of("t", List.of("user_id", "product_id"), List.of(values)))
                .isEqualTo("t:1_2");
        assertThat(LockKeys.of("t", List.of("product_id", "user_id"), List.of(values)))
                .isEqualTo("t:2_1");
        // These share a bucket: the key's order.
        assertThat(LockKeys.of("t", List.of("TRAIN", "PLACE"), List.of(values))).isEqualTo("t:1_2");
        assertThat(LockKeys.of("t", List.of("PLACE", "TRAIN"), List.of(values))).isEqualTo("t:1_2");
    }

    @Test
    void separatorsInValuesCannotBeMistaken() {
        assertThat(LockKeys.row(List.of(text("a,b;c:d%e^\n")))).isEqualTo("a%2cb%3bc%3ad%25e%5e%0a");
        assertThat(LockKeys.row(List.of(text("2020-01-01 10:00:00")))).doesNotContain(":");
        assertThat(LockKeys.row(List.of(text("")))).isNotEmpty();
        assertThat(LockKeys.of("odd;name", List.of("id"), List.of(List.of(text("1")))))
                .isEqualTo("odd%3bname:1");
    }

    @Test
    void longKeysBecomeDigestsThatTellThemApart() {
        String one = LockKeys.row(List.of(text("x".repeat(300))));
        String other = LockKeys.row(List.of(text("x".repeat(299) + "y")));
        assertThat(one).hasSizeLessThan(100).isNotEqualTo(other);
        assertThat(LockKeys.row(List.of(text("x".repeat(300))))).isEqualTo(one);
    }

    @Test
    void bytesAreTextWhereTheyCanBe() {
        assertThat(LockKeys.row(List.of(new Value.Bytes("ä".getBytes(java.nio.charset.StandardCharsets.UTF_8)))))
                .isEqualTo("ä");
        assertThat(LockKeys.row(List.of(new Value.Bytes(new byte[] {(byte) 0xff, 0}))))
                .isEqualTo("0xff00");
    }
}
