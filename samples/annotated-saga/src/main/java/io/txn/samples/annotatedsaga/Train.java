package io.txn.samples.annotatedsaga;

import io.txn.spring.Captured;
import io.txn.spring.SagaAction;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Has two seats. */
@Service
public class Train {

    private static final int SEATS = 2;

    private final Bookings bookings;

    Train(Bookings bookings) {
        this.bookings = bookings;
    }

    @SagaAction(name = "train/book", compensation = "cancel")
    @Transactional
    public String book(@Captured("guest") String guest) {
        if (bookings.booked("train") >= SEATS) {
            throw new SoldOutException();
        }
        return bookings.add("train", guest);
    }

    @Transactional
    public void cancel(String guest, String booking) {
        bookings.cancel(booking);
    }
}
