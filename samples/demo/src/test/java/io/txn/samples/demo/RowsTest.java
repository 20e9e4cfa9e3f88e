package io.txn.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RowsTest {

    @Test
    void showsAlignedRowsAndMarksWhatChanged() {
        Rows before = new Rows(Map.of(Program.STORAGE, Map.of("stock", List.of("quantity=10", "quantity=3"))));
        Rows after = new Rows(Map.of(Program.STORAGE, Map.of("stock", List.of("quantity=8", "quantity=3"))));
        assertThat(after.text(before)).isEqualTo("""
                          service   table   row
                          storage   stock   quantity=8   <- changed
                                            quantity=3
                        """);
        assertThat(before.text(before)).doesNotContain("changed");
    }

    @Test
    void anEmptyTableIsShownAsSuch() {
        Rows rows = new Rows(Map.of(Program.ORDER, Map.of("purchase_order", List.of())));
        assertThat(rows.text(rows)).contains("(no rows)");
    }

    @Test
    void undoRecordsAreCountedApartAndDefencesNotAtAll() {
        String undo =
                "branch_id=%d xid=127.0.0.1:8091:1 context=serializer=txn1 rollback_info=(binary) log_status=%d log_created=2026-01-02 03:04:05";
        Rows rows = new Rows(Map.of(
                Program.ORDER,
                Map.of(
                        "purchase_order",
                        List.of("id=1"),
                        "undo_log",
                        List.of(undo.formatted(2, 0), undo.formatted(3, 0), undo.formatted(4, 1)))));
        assertThat(rows.undoRecords()).isEqualTo(2);
        assertThat(rows.business().services().get(Program.ORDER)).containsOnlyKeys("purchase_order");
        assertThatThrownBy(() -> rows.of(Program.ORDER, "stock")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void oneWrongFigureIsSaidAndCounted() {
        Checks checks = new Checks();
        checks.equal("stock", 8, 8);
        assertThat(checks.allRight()).isTrue();
        checks.equal("orders", 1, 2);
        assertThat(checks.allRight()).isFalse();
        assertThat(checks.text())
                .contains("ok      stock")
                .contains("WRONG   orders: expected 1, found 2")
                .endsWith("1 of 2 figures are WRONG.");
    }
}
