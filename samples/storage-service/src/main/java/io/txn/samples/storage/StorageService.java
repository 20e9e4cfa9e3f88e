package io.txn.samples.storage;

import java.util.List;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** An ordinary service with an ordinary local transaction: nothing in it knows of global ones. */
@Service
class StorageService {

    private final StockMapper stock;

    StorageService(StockMapper stock) {
        this.stock = stock;
    }

    @Transactional
    public Stock take(String product, int quantity) {
        if (quantity <= 0) {
            throw new NotPositiveException(quantity);
        }
        boolean taken = stock.take(product, quantity) == 1;
        Stock left = stock.find(product);
        if (left == null) {
            throw new OutOfStockException("There is no product " + product + ".");
        }
        if (!taken) {
            throw new OutOfStockException(
                    "Only " + left.quantity() + " of " + product + " are left, " + quantity + " were asked for.");
        }
        return left;
    }

    @Transactional(readOnly = true)
    public List<Stock> all() {
        return stock.findAll();
    }
}
