package io.txn.samples.saga;

import io.txn.client.saga.SagaStep;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Money is taken, and given back when the saga turns. */
@Service
public class Wallet {

    private final JdbcClient database;

    Wallet(JdbcClient database) {
        this.database = database;
    }

    /** Tried again it would still be too little. */
    public static final class NotEnoughMoneyException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        NotEnoughMoneyException(String customer) {
            super(customer + " has not enough money");
        }
    }

    @SagaStep(name = "wallet.pay", compensation = "giveBack", refusals = NotEnoughMoneyException.class)
    public Payment pay(String customer, int amount) {
        if (change(customer, -amount) == 0) {
            throw new NotEnoughMoneyException(customer);
        }
        return new Payment(customer, amount);
    }

    public void giveBack(String customer, int amount) {
        change(customer, amount);
    }

    private int change(String customer, int by) {
        return database.sql(
                        "UPDATE wallet SET balance = balance + :by WHERE customer = :customer AND balance + :by >= 0")
                .param("by", by)
                .param("customer", customer)
                .update();
    }
}
