package io.txn.samples.tcc;

import io.txn.spring.Captured;
import io.txn.spring.TccAction;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Money is held first, and taken or given back when it is decided. */
@Service
public class Wallet {

    private final JdbcClient database;

    Wallet(JdbcClient database) {
        this.database = database;
    }

    @TccAction(name = "wallet/hold", confirm = "take", cancel = "giveBack")
    @Transactional
    public void hold(@Captured("customer") String customer, @Captured("amount") int amount) {
        NotPositiveException.require("an amount", amount);
        int rows = change(
                "UPDATE wallet SET balance = balance - :amount, held = held + :amount WHERE customer = :customer AND balance >= :amount",
                customer,
                amount);
        if (rows == 0) {
            throw new NotPossibleException(customer + " has not got " + amount);
        }
    }

    @Transactional
    public void take(String customer, int amount) {
        change("UPDATE wallet SET held = held - :amount WHERE customer = :customer", customer, amount);
    }

    @Transactional
    public void giveBack(String customer, int amount) {
        change(
                "UPDATE wallet SET balance = balance + :amount, held = held - :amount WHERE customer = :customer",
                customer,
                amount);
    }

    private int change(String sql, String customer, int amount) {
        return database.sql(sql)
                .param("amount", amount)
                .param("customer", customer)
                .update();
    }
}
