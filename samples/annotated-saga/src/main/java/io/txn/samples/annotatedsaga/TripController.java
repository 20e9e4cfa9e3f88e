package io.txn.samples.annotatedsaga;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TripController {

    private final TripService trips;
    private final Bookings bookings;

    TripController(TripService trips, Bookings bookings) {
        this.trips = trips;
        this.bookings = bookings;
    }

    @PostMapping("/trips")
    List<String> book(@RequestParam("guest") String guest) {
        NotAGuestException.require(guest);
        return trips.book(guest);
    }

    @GetMapping("/bookings")
    List<Booking> bookings() {
        return bookings.all();
    }

    @ExceptionHandler
    ProblemDetail notBooked(SoldOutException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, String.valueOf(problem.getMessage()));
    }

    @ExceptionHandler
    ProblemDetail notAGuest(NotAGuestException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(problem.getMessage()));
    }
}
