package io.txn.samples.tcc;

import io.txn.spring.Captured;
import io.txn.spring.TccAction;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Seats are kept for somebody first, and sold or free again when it is decided. */
@Service
public class Seats {

    private final JdbcClient database;

    Seats(JdbcClient database) {
        this.database = database;
    }

    @TccAction(name = "seats/keep", confirm = "sell", cancel = "free")
    @Transactional
    public void keep(@Captured("count") int count) {
        NotPositiveException.require("a count", count);
        int rows = database.sql("UPDATE seats SET free = free - :count, kept = kept + :count WHERE free >= :count")
                .param("count", count)
                .update();
        if (rows == 0) {
            throw new NotPossibleException("there are not " + count + " seats left");
        }
    }

    @Transactional
    public void sell(int count) {
        database.sql("UPDATE seats SET kept = kept - :count, sold = sold + :count")
                .param("count", count)
                .update();
    }

    @Transactional
    public void free(int count) {
        database.sql("UPDATE seats SET kept = kept - :count, free = free + :count")
                .param("count", count)
                .update();
    }
}
