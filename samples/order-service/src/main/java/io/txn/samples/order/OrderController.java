package io.txn.samples.order;

import java.math.BigDecimal;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/orders")
class OrderController {

    private final OrderService orders;

    OrderController(OrderService orders) {
        this.orders = orders;
    }

    record Place(String customer, String product, int quantity, BigDecimal total) {}

    @PostMapping
    PurchaseOrder place(@RequestBody Place request) {
        NotAnOrderException.requireText("customer", request.customer());
        NotAnOrderException.requireText("product", request.product());
        NotAnOrderException.requirePositive("quantity", BigDecimal.valueOf(request.quantity()));
        NotAnOrderException.requirePositive("total", request.total());
        return orders.place(request.customer(), request.product(), request.quantity(), request.total());
    }

    @GetMapping
    List<PurchaseOrder> all() {
        return orders.all();
    }

    @ExceptionHandler
    ProblemDetail notAnOrder(NotAnOrderException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, problem.getMessage());
    }
}
