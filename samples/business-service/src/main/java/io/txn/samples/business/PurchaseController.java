package io.txn.samples.business;

import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/purchases")
class PurchaseController {

    private final PurchaseService purchases;

    PurchaseController(PurchaseService purchases) {
        this.purchases = purchases;
    }

    record Buy(String customer, String product, int quantity) {}

    /** A request with a key may be sent again: it gets the first receipt. */
    @PostMapping
    PurchaseService.Receipt buy(
            @RequestBody Buy request, @RequestHeader(name = "Idempotency-Key", required = false) String key) {
        NotAPurchaseException.requireText("customer", request.customer());
        NotAPurchaseException.requireText("product", request.product());
        return key == null
                ? purchases.buy(request.customer(), request.product(), request.quantity())
                : purchases.buyOnce(key, request.customer(), request.product(), request.quantity());
    }

    @GetMapping
    List<Purchase> all() {
        return purchases.all();
    }
}
