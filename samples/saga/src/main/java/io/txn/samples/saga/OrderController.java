package io.txn.samples.saga;

import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaOutcome;
import io.txn.client.saga.Sagas;
import io.txn.protocol.Xid;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class OrderController {

    private final Sagas sagas;
    private final SagaDefinition<Order, Receipt> orders;
    private final Warehouse warehouse;
    private final Ended ended;
    private final JdbcClient database;

    OrderController(
            Sagas sagas, SagaDefinition<Order, Receipt> orders, Warehouse warehouse, Ended ended, JdbcClient database) {
        this.sagas = sagas;
        this.orders = orders;
        this.warehouse = warehouse;
        this.ended = ended;
        this.database = database;
    }

    /** Returns at once: the saga is on its way. */
    @PostMapping("/orders")
    String order(@RequestBody Order order) {
        NotPositiveException.require("a count", order.count());
        NotPositiveException.require("an amount", order.payment().amount());
        return sagas.start(orders, order).xid().value();
    }

    /** Waits a while for the end. */
    @GetMapping("/orders")
    SagaOutcome<Receipt> outcome(
            @RequestParam("xid") String xid, @RequestParam(name = "seconds", defaultValue = "0") int seconds) {
        return sagas.find(new Xid(xid), orders).await(Duration.ofSeconds(seconds));
    }

    @GetMapping("/packing")
    List<String> packing() {
        return warehouse.open();
    }

    @PostMapping("/packed")
    void packed(@RequestParam("id") String correlationId, @RequestParam("parcel") String parcel) {
        warehouse.packed(correlationId, new Parcel(parcel));
    }

    @GetMapping("/standing")
    Map<String, Object> standing() {
        return database.sql(
                        "SELECT (SELECT free FROM stock) AS free, (SELECT balance FROM wallet) AS balance, (SELECT COUNT(*) FROM shipment) AS shipments")
                .query()
                .singleRow();
    }

    @GetMapping("/ended")
    Map<String, Boolean> ended(@RequestParam("xid") String xid) {
        Boolean done = ended.of(xid);
        return done == null ? Map.of() : Map.of("done", done);
    }

    @ExceptionHandler
    ProblemDetail notAnOrder(NotPositiveException problem) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(problem.getMessage()));
    }
}
