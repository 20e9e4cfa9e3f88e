package io.txn.samples.xa;

import java.util.Map;
import java.util.TreeMap;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TransferController {

    private final TransferService transfers;
    private final Bank north;
    private final Bank south;

    TransferController(TransferService transfers, @Qualifier("north") Bank north, @Qualifier("south") Bank south) {
        this.transfers = transfers;
        this.north = north;
        this.south = south;
    }

    @PostMapping("/transfers")
    void transfer(
            @RequestParam("from") String from, @RequestParam("to") String to, @RequestParam("amount") int amount) {
        transfers.transfer(from, to, amount);
    }

    @GetMapping("/balances")
    Map<String, Map<String, Integer>> balances() {
        return new TreeMap<>(Map.of("north", north.balances(), "south", south.balances()));
    }

    @ExceptionHandler
    ProblemDetail notTransferred(NotPossibleException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, String.valueOf(problem.getMessage()));
    }

    @ExceptionHandler
    ProblemDetail notAnAmount(NotPositiveException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(problem.getMessage()));
    }
}
