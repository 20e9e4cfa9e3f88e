package io.txn.samples.modes;

import io.txn.spring.Captured;
import io.txn.spring.SagaAction;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** An annotated saga: a booking is final when it is made, and cancelled when the trip is not. */
@Service
public class Bookings {

    private final JdbcClient database;

    Bookings(@Qualifier("tripClient") JdbcClient database) {
        this.database = database;
    }

    @SagaAction(name = "bookings/book", compensation = "cancel")
    @Transactional
    public String book(@Captured("customer") String customer, @Captured("what") String what) {
        String id = what + "-" + UUID.randomUUID().toString().substring(0, 8);
        database.sql("INSERT INTO booking (id, customer) VALUES (?, ?)")
                .params(id, customer)
                .update();
        return id;
    }

    @Transactional
    public void cancel(String customer, String what, String id) {
        database.sql("DELETE FROM booking WHERE id = ?").param(id).update();
    }
}
