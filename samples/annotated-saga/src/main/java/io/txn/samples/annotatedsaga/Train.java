package io.txn.samples.annotatedsaga;

import io.txn.spring.Captured;
import io.txn.spring.SagaAction;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Has two seats. One statement finds a free one and takes it, so that of two who want the last one gets it. */
@Service
public class Train {

    private final JdbcClient database;
    private final Bookings bookings;

    Train(JdbcClient database, Bookings bookings) {
        this.database = database;
        this.bookings = bookings;
    }

    @SagaAction(name = "train/book", compensation = "cancel")
    @Transactional
    public String book(@Captured("guest") String guest) {
        int rows =
                database.sql("UPDATE train SET free = free - 1 WHERE free > 0").update();
        if (rows == 0) {
            throw new SoldOutException();
        }
        return bookings.add("train", guest);
    }

    @Transactional
    public void cancel(String guest, String booking) {
        if (bookings.cancel(booking)) {
            database.sql("UPDATE train SET free = free + 1").update();
        }
    }
}
