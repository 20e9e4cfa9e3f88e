package io.txn.samples.order;

import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

@Service
class OrderService {

    private final OrderMapper orders;

    OrderService(OrderMapper orders) {
        this.orders = orders;
    }

    @Transactional
    public PurchaseOrder place(String customer, String product, int quantity, BigDecimal total) {
        NewOrder order = new NewOrder(customer, product, quantity, total);
        orders.insert(order);
        long id = Objects.requireNonNull(order.getId(), "the database generated no key");
        return new PurchaseOrder(id, customer, product, quantity, total);
    }

    @Transactional(readOnly = true)
    public List<PurchaseOrder> all() {
        return orders.findAll();
    }
}
