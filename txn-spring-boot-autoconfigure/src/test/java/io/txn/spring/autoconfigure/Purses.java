package io.txn.spring.autoconfigure;

import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.test.TestDatabase;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Money in a database, moved by imported state machines, whose services are called without a fence: each one notes what it did beside what it did, and does it once. As a process it starts three machines, and stands still
 * in the middle of each, to be killed: in a service that has committed ({@code forward}, {@code undone}), and in a compensation that has not ({@code back}).
 */
public class Purses {

    private final TransactionTemplate local;
    private final JdbcTemplate database;
    private final boolean doomed;

    Purses(DataSource source, boolean doomed) {
        this.local = new TransactionTemplate(new DataSourceTransactionManager(source));
        this.database = new JdbcTemplate(source);
        this.doomed = doomed;
    }

    static void open(TestDatabase database) {
        database.execute(
                "CREATE TABLE purse (owner VARCHAR(20) PRIMARY KEY, amount INT NOT NULL)",
                "CREATE TABLE done (what VARCHAR(60) PRIMARY KEY)",
                "INSERT INTO purse VALUES ('a', 100), ('b', 100), ('c', 100), ('d', 100), ('e', 100)");
    }

    /** An application that has them. */
    static ApplicationContextRunner runner(int coordinator, DataSource source, boolean doomed) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(TxnAutoConfiguration.class, TxnModesAutoConfiguration.class))
                .withBean("purses", Purses.class, () -> new Purses(source, doomed))
                .withBean("transfer", StateMachine.class, () -> machine("transfer", ""))
                .withBean(
                        "careful", StateMachine.class, () -> machine("careful", "\"RecoverStrategy\": \"Compensate\","))
                .withPropertyValues(
                        "txn.coordinator.address=127.0.0.1:" + coordinator, "spring.application.name=purses");
    }

    private static StateMachine machine(String name, String strategy) {
        return StateMachine.read("""
                {"Name": "%s", %s "StartState": "Take", "States": {
                  "Take": {"Type": "ServiceTask", "ServiceName": "purses", "ServiceMethod": "take", "CompensateState": "PutBack",
                    "Input": ["$.[key]", "$.[from]", 10], "Next": "Give"},
                  "Give": {"Type": "ServiceTask", "ServiceName": "purses", "ServiceMethod": "give", "CompensateState": "TakeAgain",
                    "Input": ["$.[key]", "$.[to]", 10],
                    "Catch": [{"Exceptions": ["java.lang.IllegalArgumentException"], "Next": "Back"}]},
                  "Back": {"Type": "CompensationTrigger", "Next": "Failed"},
                  "Failed": {"Type": "Fail", "ErrorCode": "NOBODY", "Message": "nobody has such a purse"},
                  "PutBack": {"Type": "ServiceTask", "ServiceName": "purses", "ServiceMethod": "putBack",
                    "Input": ["$.[key]", "$.[from]", 10]},
                  "TakeAgain": {"Type": "ServiceTask", "ServiceName": "purses", "ServiceMethod": "takeAgain",
                    "Input": ["$.[key]", "$.[to]", 10]}}}""".formatted(name, strategy), name + ".json");
    }

    public void take(String key, String from, int amount) {
        local.executeWithoutResult(open -> {
            if (isFirst(key + "/take")) {
                add(from, -amount);
            }
        });
    }

    public void give(String key, String to, int amount) {
        local.executeWithoutResult(open -> {
            if (isFirst(key + "/give")) {
                add(to, amount);
            }
        });
        standStill(key, "give");
    }

    public void putBack(String key, String from, int amount) {
        local.executeWithoutResult(open -> {
            if (isUndone(key + "/take")) {
                add(from, amount);
            }
            standStill(key, "putBack");
        });
    }

    public void takeAgain(String key, String to, int amount) {
        local.executeWithoutResult(open -> {
            if (isUndone(key + "/give")) {
                add(to, -amount);
            }
        });
    }

    private boolean isFirst(String what) {
        return database.update("INSERT IGNORE INTO done VALUES (?)", what) == 1;
    }

    private boolean isUndone(String what) {
        return database.update("DELETE FROM done WHERE what = ?", what) == 1;
    }

    private void add(String owner, int amount) {
        if (database.update("UPDATE purse SET amount = amount + ? WHERE owner = ?", amount, owner) == 0) {
            throw new IllegalArgumentException("there is no purse of " + owner);
        }
    }

    private void standStill(String key, String where) {
        if (doomed) {
            System.out.println(key + " is in " + where);
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Coordinator's port, URL, user, password. */
    public static void main(String[] arguments) {
        DataSource source = new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]);
        runner(Integer.parseInt(arguments[0]), source, true).run(context -> {
            StateMachines machines = context.getBean(StateMachines.class);
            for (String[] one : new String[][] {
                {"transfer", "forward", "a", "b"}, {"transfer", "back", "c", "nobody"}, {"careful", "undone", "d", "e"}
            }) {
                System.out.println(one[1] + " is "
                        + machines.start(one[0], Map.of("key", one[1], "from", one[2], "to", one[3]))
                                .xid());
            }
            new CountDownLatch(1).await();
        });
    }
}
