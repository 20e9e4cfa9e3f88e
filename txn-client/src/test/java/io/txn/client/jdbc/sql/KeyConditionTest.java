package io.txn.client.jdbc.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyConditionTest {

    @Test
    void findsWhatAConditionSurelyDemands() {
        KeyCondition found = KeyCondition.of(
                new Fragment("note = ? AND a.id = ? AND \"V\" = -5 AND amount IS NOT NULL AND n > ?", 3, 3),
                SqlSyntax.POSTGRESQL);

        assertThat(found.equalities())
                .extracting(e -> e.column().text(), KeyCondition.Equality::written, KeyCondition.Equality::value)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("note", "note", new Fragment("?", 3, 1)),
                        org.assertj.core.groups.Tuple.tuple("id", "a.id", new Fragment("?", 4, 1)),
                        org.assertj.core.groups.Tuple.tuple("V", "\"V\"", new Fragment("-5", 5, 0)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "id = ? OR id = 2",
                "v BETWEEN 1 AND id = ?",
                "NOT v AND id = ?",
                "v || id = ?",
                "v && id = ?",
                "CASE WHEN v AND id = ? THEN 1 END",
                "id <= ?",
                "id = ? + 1",
                "(id = ?)",
                "id = (SELECT 1)",
                "id IN (?)",
                "LOWER(id) = ?",
                "id = v",
                "-id = ?",
                "id = ? = 1",
                "'unterminated",
                ""
            })
    void demandsNothingInDoubt(String condition) {
        assertThat(KeyCondition.of(new Fragment(condition, 0, 0), SqlSyntax.MYSQL)
                        .equalities())
                .isEqualTo(List.of());
    }
}
