package io.txn.samples.annotatedsaga;

import io.txn.spring.Captured;
import io.txn.spring.SagaAction;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Has a room for everybody. */
@Service
public class Hotel {

    private final Bookings bookings;

    Hotel(Bookings bookings) {
        this.bookings = bookings;
    }

    @SagaAction(name = "hotel/book", compensation = "cancel")
    @Transactional
    public String book(@Captured("guest") String guest) {
        return bookings.add("hotel", guest);
    }

    /** Takes what the action took and what it returned. */
    @Transactional
    public void cancel(String guest, String booking) {
        bookings.cancel(booking);
    }
}
