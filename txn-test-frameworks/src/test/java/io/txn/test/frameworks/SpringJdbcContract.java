package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.DatabaseKind;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.core.namedparam.SqlParameterSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.SimpleJdbcInsert;
import org.springframework.jdbc.support.GeneratedKeyHolder;
import org.springframework.jdbc.support.KeyHolder;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** What spring-jdbc offers, each in a global transaction that is rolled back, and in one that is committed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class SpringJdbcContract {

    private Rig rig;

    abstract DatabaseKind kind();

    @ImportAutoConfiguration({
        DataSourceAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        JdbcClientAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @WithTheStarter
    static class App {}

    @BeforeAll
    void start() {
        rig = Rig.start(App.class, kind(), Shop::create);
    }

    @AfterAll
    void stop() {
        rig.close();
    }

    private static JdbcTemplate jdbc(Application application) {
        return application.bean(JdbcTemplate.class);
    }

    private static TransactionTemplate transaction(Application application) {
        return application.bean(TransactionTemplate.class);
    }

    @Test
    void jdbcTemplateInAutoCommit() {
        rig.check(3, application -> {
            assertThat(jdbc(application).update("UPDATE account SET amount = amount - ? WHERE id = ?", 10, 1))
                    .isEqualTo(1);
            jdbc(application)
                    .update("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)", 10, "dan", BigDecimal.TEN);
            assertThat(jdbc(application).update("DELETE FROM account WHERE owner IS NULL AND id = 4"))
                    .isEqualTo(1);
            jdbc(application).update("DELETE FROM account WHERE id = 77");
        });
    }

    @Test
    void jdbcTemplateInALocalTransaction() {
        rig.check(1, application -> transaction(application).executeWithoutResult(status -> {
            jdbc(application).execute("UPDATE account SET owner = 'amy' WHERE id = 1");
            jdbc(application).update("UPDATE account SET amount = 1.5 WHERE id = ?", 1);
            assertThat(jdbc(application).queryForObject("SELECT owner FROM account WHERE id = 1", String.class))
                    .isEqualTo("amy");
        }));
    }

    @Test
    void aLocalTransactionThatIsRolledBackInAGlobalOneThatGoesOn() {
        rig.check(1, application -> {
            transaction(application).executeWithoutResult(status -> {
                jdbc(application).update("UPDATE account SET owner = 'lost'");
                status.setRollbackOnly();
            });
            jdbc(application).update("INSERT INTO account (id, owner, amount) VALUES (11, 'eve', 0)");
        });
    }

    @Test
    void nestedTransactionsGoBackToTheirSavepoint() {
        rig.check(1, application -> transaction(application).executeWithoutResult(status -> {
            jdbc(application).update("UPDATE account SET owner = 'kept' WHERE id = 2");
            TransactionTemplate nested =
                    new TransactionTemplate(transaction(application).getTransactionManager());
            nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
            nested.executeWithoutResult(inner -> {
                jdbc(application).update("UPDATE account SET owner = 'lost' WHERE id = 1");
                inner.setRollbackOnly();
            });
        }));
    }

    @Test
    void aDuplicateKeyIsTranslatedAndTheSameConnectionGoesOn() {
        rig.check(1, application -> {
            try {
                jdbc(application).update("INSERT INTO account (id, owner, amount) VALUES (1, 'again', 0)");
                throw new AssertionError("inserted twice");
            } catch (DuplicateKeyException expected) {
                jdbc(application).update("INSERT INTO account (id, owner, amount) VALUES (12, 'fay', 0)");
            }
        });
    }

    @Test
    void batchUpdate() {
        rig.check(2, application -> transaction(application).executeWithoutResult(status -> {
            List<Object[]> rows = new ArrayList<>();
            for (int i = 0; i < 150; i++) {
                rows.add(new Object[] {1000 + i, "n" + i, i});
            }
            assertThat(jdbc(application).batchUpdate("INSERT INTO account (id, owner, amount) VALUES (?, ?, ?)", rows))
                    .hasSize(150);
            // Before the DELETE: where no other account has purchases, InnoDB locks with it the gap that these go to.
            transactionOfItsOwn(application).executeWithoutResult(own -> jdbc(application)
                    .batchUpdate(
                            "INSERT INTO purchase (account_id, what) VALUES (?, ?)",
                            List.of(1, 2, 3),
                            2,
                            (statement, id) -> {
                                statement.setInt(1, 1);
                                statement.setString(2, "batch " + id);
                            }));
            assertThat(jdbc(application)
                            .batchUpdate(
                                    "UPDATE account SET amount = amount + 1 WHERE id = 1001",
                                    "DELETE FROM account WHERE id = 1002"))
                    .containsExactly(1, 1);
        }));
    }

    private static TransactionTemplate transactionOfItsOwn(Application application) {
        TransactionTemplate own =
                new TransactionTemplate(transaction(application).getTransactionManager());
        own.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        return own;
    }

    @Test
    void namedParameters() {
        rig.check(3, application -> {
            NamedParameterJdbcTemplate named = application.bean(NamedParameterJdbcTemplate.class);
            assertThat(named.update(
                            "UPDATE account SET amount = :amount WHERE id IN (:ids)",
                            Map.of("amount", new BigDecimal("7.25"), "ids", List.of(1, 2))))
                    .isEqualTo(2);
            KeyHolder keys = new GeneratedKeyHolder();
            named.update(
                    "INSERT INTO purchase (account_id, what, price) VALUES (:account, :what, :price)",
                    new MapSqlParameterSource("account", 1)
                            .addValue("what", null)
                            .addValue("price", 3),
                    keys,
                    new String[] {"id"});
            assertThat(keys.getKey()).isNotNull();
            named.batchUpdate("UPDATE purchase SET what = :what WHERE id = :id", new SqlParameterSource[] {
                new MapSqlParameterSource("what", "bread").addValue("id", keys.getKey()),
                new MapSqlParameterSource("what", "none").addValue("id", -1)
            });
        });
    }

    @Test
    void simpleJdbcInsertFindsColumnsAndKeys() {
        rig.check(3, application -> {
            Number key = new SimpleJdbcInsert(jdbc(application))
                    .withTableName("purchase")
                    .usingGeneratedKeyColumns("id")
                    .executeAndReturnKey(Map.of("account_id", 2, "what", "milk", "price", 1));
            assertThat(jdbc(application).queryForObject("SELECT what FROM purchase WHERE id = ?", String.class, key))
                    .isEqualTo("milk");
            new SimpleJdbcInsert(jdbc(application))
                    .withTableName("account")
                    .usingColumns("id", "amount")
                    .execute(Map.of("id", 20, "amount", 5));
            transaction(application).executeWithoutResult(status -> new SimpleJdbcInsert(jdbc(application))
                    .withTableName("account")
                    .executeBatch(
                            new MapSqlParameterSource(Map.of("id", 21, "owner", "x", "amount", 1)),
                            new MapSqlParameterSource(Map.of("id", 22, "owner", "y", "amount", 2))));
        });
    }

    @Test
    void jdbcClient() {
        rig.check(2, application -> {
            JdbcClient client = application.bean(JdbcClient.class);
            KeyHolder keys = new GeneratedKeyHolder();
            client.sql("INSERT INTO purchase (account_id, what) VALUES (?, ?)")
                    .params(3, "salt")
                    .update(keys, "id");
            assertThat(client.sql("UPDATE purchase SET price = :price WHERE id = :id")
                            .param("price", 2)
                            .param("id", keys.getKey())
                            .update())
                    .isEqualTo(1);
        });
    }
}
