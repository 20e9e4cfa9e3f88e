package io.txn.samples.business;

import io.txn.spring.GlobalTransactional;
import java.math.BigDecimal;
import java.util.List;
import org.springframework.stereotype.Service;

/** The reason for all of it: one method, four databases, all or nothing. */
@Service
class PurchaseService {

    private final StorageClient storage;
    private final OrderClient orders;
    private final AccountClient accounts;
    private final PurchaseMapper purchases;

    PurchaseService(StorageClient storage, OrderClient orders, AccountClient accounts, PurchaseMapper purchases) {
        this.storage = storage;
        this.orders = orders;
        this.accounts = accounts;
        this.purchases = purchases;
    }

    /** What the customer is told. */
    record Receipt(long orderId, BigDecimal total, BigDecimal balanceLeft) {}

    /**
     * Each call below is committed in its own database when it returns. When a later one fails, the exception leaves
     * this method, and what the earlier ones did is undone.
     */
    @GlobalTransactional(name = "purchase")
    public Receipt buy(String customer, String product, int quantity) {
        StorageClient.Stock stock = storage.take(product, quantity);
        BigDecimal total = stock.unitPrice().multiply(BigDecimal.valueOf(quantity));
        long orderId = orders.place(new OrderClient.NewOrder(customer, product, quantity, total))
                .id();
        purchases.insert(customer, orderId, total);
        BigDecimal left = accounts.debit(customer, total).balance();
        return new Receipt(orderId, total, left);
    }

    /** The same for those who may ask twice: a second request of one key does not run, and gets the first receipt. */
    @GlobalTransactional(name = "purchase-once", idempotencyKey = "#request")
    public Receipt buyOnce(String request, String customer, String product, int quantity) {
        return buy(customer, product, quantity);
    }

    List<Purchase> all() {
        return purchases.findAll();
    }
}
