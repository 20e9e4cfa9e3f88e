package io.txn.samples.annotatedsaga;

import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** What was booked. A booking that is cancelled stays, for the books. */
@Repository
class Bookings {

    private final JdbcClient database;

    Bookings(JdbcClient database) {
        this.database = database;
    }

    String add(String what, String guest) {
        String id = what + "-" + UUID.randomUUID().toString().substring(0, 8);
        database.sql("INSERT INTO booking (id, what, guest, state) VALUES (?, ?, ?, 'BOOKED')")
                .params(id, what, guest)
                .update();
        return id;
    }

    /** Whether it was booked until now. */
    boolean cancel(String id) {
        return database.sql("UPDATE booking SET state = 'CANCELLED' WHERE id = ? AND state = 'BOOKED'")
                        .param(id)
                        .update()
                == 1;
    }

    List<Booking> all() {
        return database.sql("SELECT id, guest, state FROM booking ORDER BY made")
                .query(Booking.class)
                .list();
    }
}
