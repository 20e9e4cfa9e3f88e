package io.txn.samples.modes;

import io.txn.spring.Captured;
import io.txn.spring.TccAction;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** TCC: money is held first, and taken or given back when the trip is decided. */
@Service
public class Wallet {

    private final JdbcClient database;

    Wallet(@Qualifier("tripClient") JdbcClient database) {
        this.database = database;
    }

    @TccAction(name = "wallet/hold", confirm = "take", cancel = "giveBack")
    @Transactional
    public void hold(@Captured("customer") String customer, @Captured("amount") int amount) {
        int rows = database.sql(
                        "UPDATE wallet SET balance = balance - :amount, held = held + :amount WHERE customer = :customer AND balance >= :amount")
                .param("amount", amount)
                .param("customer", customer)
                .update();
        if (rows == 0) {
            throw new IllegalStateException(customer + " has not enough money");
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

    private void change(String sql, String customer, int amount) {
        database.sql(sql).param("amount", amount).param("customer", customer).update();
    }
}
