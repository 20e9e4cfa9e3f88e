package io.txn.samples.storage;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/stock")
class StorageController {

    private final StorageService storage;

    StorageController(StorageService storage) {
        this.storage = storage;
    }

    record Take(int quantity) {}

    @PostMapping("/{product}/take")
    Stock take(@PathVariable String product, @RequestBody Take request) {
        return storage.take(product, request.quantity());
    }

    @GetMapping
    List<Stock> all() {
        return storage.all();
    }

    @ExceptionHandler
    ProblemDetail outOfStock(OutOfStockException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, problem.getMessage());
    }

    @ExceptionHandler
    ProblemDetail notAQuantity(NotPositiveException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, problem.getMessage());
    }
}
