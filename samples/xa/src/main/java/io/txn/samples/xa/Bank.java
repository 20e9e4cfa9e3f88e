package io.txn.samples.xa;

import java.util.Map;
import java.util.TreeMap;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Accounts in one database. */
public class Bank {

    private final String name;
    private final JdbcClient database;

    Bank(String name, JdbcClient database) {
        this.name = name;
        this.database = database;
    }

    void withdraw(String owner, int amount) {
        requirePositive(amount);
        int rows = database.sql("UPDATE account SET balance = balance - ? WHERE owner = ? AND balance >= ?")
                .params(amount, owner, amount)
                .update();
        if (rows == 0) {
            throw new NotPossibleException(owner + " has not got " + amount + " in the " + name);
        }
    }

    void deposit(String owner, int amount) {
        requirePositive(amount);
        int rows = database.sql("UPDATE account SET balance = balance + ? WHERE owner = ?")
                .params(amount, owner)
                .update();
        if (rows == 0) {
            throw new NotPossibleException(owner + " has no account in the " + name);
        }
    }

    private static void requirePositive(int amount) {
        if (amount <= 0) {
            throw new NotPositiveException(amount);
        }
    }

    Map<String, Integer> balances() {
        Map<String, Integer> balances = new TreeMap<>();
        database.sql("SELECT owner, balance FROM account").query(row -> {
            balances.put(row.getString("owner"), row.getInt("balance"));
        });
        return balances;
    }
}
