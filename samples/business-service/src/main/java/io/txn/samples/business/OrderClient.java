package io.txn.samples.business;

import java.math.BigDecimal;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;

/** The order service, by OpenFeign. */
@FeignClient(name = "order-service", url = "${shop.order-url}")
interface OrderClient {

    record NewOrder(String customer, String product, int quantity, BigDecimal total) {}

    record Order(long id) {}

    @PostMapping("/orders")
    Order place(@RequestBody NewOrder order);
}
