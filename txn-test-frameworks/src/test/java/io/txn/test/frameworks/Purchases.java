package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.GeneratedKeyHolder;
import org.springframework.transaction.support.TransactionTemplate;

/** A bit of everything on the tables of {@link Shop}, to see whether a data source carries it. */
final class Purchases {

    private Purchases() {}

    /** Twice, because the second time meets connections, statements and plans of the first. */
    static void check(Rig rig, Rig.Work work) {
        rig.check(1, work);
        rig.check(1, work);
    }

    static void inOneTransaction(Application application) {
        JdbcTemplate jdbc = application.bean(JdbcTemplate.class);
        application.bean(TransactionTemplate.class).executeWithoutResult(status -> inTransaction(jdbc));
    }

    static void inTransaction(JdbcTemplate jdbc) {
        GeneratedKeyHolder keys = new GeneratedKeyHolder();
        jdbc.update(
                connection -> {
                    var statement = connection.prepareStatement(
                            "INSERT INTO purchase (account_id, what, price) VALUES (?, ?, ?)", new String[] {"id"});
                    statement.setLong(1, 1);
                    statement.setString(2, "bread");
                    statement.setBigDecimal(3, new java.math.BigDecimal("2.50"));
                    return statement;
                },
                keys);
        Number key = keys.getKey();
        assertThat(jdbc.queryForObject("SELECT what FROM purchase WHERE id = ?", String.class, key))
                .isEqualTo("bread");
        assertThat(jdbc.update("UPDATE account SET amount = amount - ? WHERE id = ?", 2, 1))
                .isEqualTo(1);
        assertThat(jdbc.queryForObject("SELECT owner FROM account WHERE id = 1 FOR UPDATE", String.class))
                .isEqualTo("ann");
        jdbc.batchUpdate(
                "INSERT INTO purchase (account_id, what) VALUES (?, ?)",
                List.of(new Object[] {1, "a"}, new Object[] {2, null}, new Object[] {2, "c"}));
        assertThat(jdbc.update("DELETE FROM purchase WHERE account_id = 2 AND what IS NULL"))
                .isEqualTo(1);
    }
}
