package io.txn.samples.annotatedsaga;

import io.txn.spring.GlobalTransactional;
import java.util.List;
import org.springframework.stereotype.Service;

/** When this method throws, what was booked is cancelled, the last first. */
@Service
public class TripService {

    private final Hotel hotel;
    private final Train train;

    TripService(Hotel hotel, Train train) {
        this.hotel = hotel;
        this.train = train;
    }

    @GlobalTransactional(name = "book a trip")
    public List<String> book(String guest) {
        return List.of(hotel.book(guest), train.book(guest));
    }
}
