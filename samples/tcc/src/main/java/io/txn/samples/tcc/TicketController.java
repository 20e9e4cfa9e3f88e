package io.txn.samples.tcc;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TicketController {

    private final TicketService tickets;
    private final JdbcClient database;

    TicketController(TicketService tickets, JdbcClient database) {
        this.tickets = tickets;
        this.database = database;
    }

    @PostMapping("/tickets")
    void buy(@RequestParam("customer") String customer, @RequestParam("count") int count) {
        tickets.buy(customer, count);
    }

    @GetMapping("/standing")
    Standing standing() {
        return database.sql(
                        "SELECT free, kept, sold, balance, held FROM seats CROSS JOIN wallet WHERE customer = 'alice'")
                .query(Standing.class)
                .single();
    }

    /**
     * What there is, and what alice has.
     *
     * @param kept seats for which nothing is decided yet
     * @param held money for which nothing is decided yet
     */
    record Standing(int free, int kept, int sold, int balance, int held) {}

    @ExceptionHandler
    ProblemDetail notBought(NotPossibleException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, String.valueOf(problem.getMessage()));
    }

    @ExceptionHandler
    ProblemDetail notACount(NotPositiveException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(problem.getMessage()));
    }
}
