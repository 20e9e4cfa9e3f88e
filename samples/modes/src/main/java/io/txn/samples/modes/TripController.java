package io.txn.samples.modes;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/trips/{customer}")
class TripController {

    private final TripService trips;

    TripController(TripService trips) {
        this.trips = trips;
    }

    @PostMapping
    List<String> book(
            @PathVariable("customer") String customer,
            @RequestParam(name = "soldOut", defaultValue = "false") boolean soldOut) {
        return trips.book(customer, soldOut);
    }

    @GetMapping
    TripService.Standing standing(@PathVariable("customer") String customer) {
        return trips.standing(customer);
    }

    @ExceptionHandler
    ProblemDetail notBooked(IllegalStateException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, String.valueOf(problem.getMessage()));
    }
}
