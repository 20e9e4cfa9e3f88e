package io.txn.samples.order;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** An order on its way into the table, where it gets its id. */
final class NewOrder {

    private final String customer;
    private final String product;
    private final int quantity;
    private final BigDecimal total;
    private @Nullable Long id;

    NewOrder(String customer, String product, int quantity, BigDecimal total) {
        this.customer = customer;
        this.product = product;
        this.quantity = quantity;
        this.total = total;
    }

    public String getCustomer() {
        return customer;
    }

    public String getProduct() {
        return product;
    }

    public int getQuantity() {
        return quantity;
    }

    public BigDecimal getTotal() {
        return total;
    }

    public @Nullable Long getId() {
        return id;
    }

    /** Called by MyBatis with the key the database generated. */
    public void setId(Long id) {
        this.id = id;
    }
}
