package io.txn.samples.saga;

import io.txn.client.saga.SagaStep;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Goods are put aside, and put back when the saga turns. */
@Service
public class Stock {

    private final JdbcClient database;

    Stock(JdbcClient database) {
        this.database = database;
    }

    /** Tried again it would still not be there. */
    public static final class SoldOutException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        SoldOutException(String item) {
            super("there is no more " + item);
        }
    }

    @SagaStep(name = "stock.freeze", compensation = "release", refusals = SoldOutException.class)
    public Reservation freeze(String item, int count) {
        int rows = database.sql("UPDATE stock SET free = free - :count WHERE item = :item AND free >= :count")
                .param("count", count)
                .param("item", item)
                .update();
        if (rows == 0) {
            throw new SoldOutException(item);
        }
        return new Reservation(item, count);
    }

    public void release(String item, int count, Reservation frozen) {
        database.sql("UPDATE stock SET free = free + :count WHERE item = :item")
                .param("count", frozen.count())
                .param("item", frozen.item())
                .update();
    }
}
