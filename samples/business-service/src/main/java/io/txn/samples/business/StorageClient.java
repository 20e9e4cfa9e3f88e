package io.txn.samples.business;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Objects;
import org.springframework.web.client.RestClient;

/** The storage service, by RestClient. */
class StorageClient {

    private final RestClient http;

    StorageClient(RestClient http) {
        this.http = http;
    }

    /** What is left, and the price of one. */
    record Stock(String product, int quantity, BigDecimal unitPrice) {}

    Stock take(String product, int quantity) {
        Stock left = http.post()
                .uri("/stock/{product}/take", product)
                .body(Map.of("quantity", quantity))
                .retrieve()
                .body(Stock.class);
        return Objects.requireNonNull(left, "the storage service answered without a body");
    }
}
