package io.txn.client.jdbc.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SelectListTest {

    private static String columns(String head) {
        StringBuilder found = new StringBuilder();
        for (SelectList.Item item : SelectList.columns(new Fragment(head, 0, 0), SqlSyntax.H2)) {
            found.append('[')
                    .append(item.row() == null ? "" : item.row().text() + '.')
                    .append(item.column() == null ? "*" : item.column().text())
                    .append(item.label() == null ? "" : " as " + item.label().text())
                    .append(']');
        }
        return found.toString();
    }

    @Test
    void columnsAreToldWithTheirTablesAndTheirOtherNames() {
        assertThat(columns("SELECT id")).isEqualTo("[id]");
        assertThat(columns("SELECT a.id, owner AS name, \"My A\".\"x y\" z, *"))
                .isEqualTo("[a.id][owner as name][My A.x y as z][*]");
        assertThat(columns("SELECT shop.a.id no, a.*")).isEqualTo("[a.id as no][a.*]");
    }

    @Test
    void whatIsMoreThanColumnsIsNoListOfColumns() {
        for (String head : new String[] {
            "SELECT id + 1",
            "SELECT f(id)",
            "SELECT 1",
            "SELECT 'x'",
            "SELECT id, ?",
            "SELECT CASE WHEN a THEN b END",
            "SELECT id AS",
            "SELECT id a b",
            "SELECT id,",
            "SELECT a.",
            "SELECT * x",
            "SELECT COUNT(*)",
            "SELECT (SELECT id)",
            "SELECT"
        }) {
            assertThat(columns(head)).as(head).isEmpty();
        }
    }
}
