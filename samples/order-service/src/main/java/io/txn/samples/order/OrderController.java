package io.txn.samples.order;

import java.math.BigDecimal;
import java.util.List;
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
        return orders.place(request.customer(), request.product(), request.quantity(), request.total());
    }

    @GetMapping
    List<PurchaseOrder> all() {
        return orders.all();
    }
}
