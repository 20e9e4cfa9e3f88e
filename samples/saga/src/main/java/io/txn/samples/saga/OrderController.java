package io.txn.samples.saga;

import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaOutcome;
import io.txn.client.saga.Sagas;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageNotReadableException;
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
        NotUsableException.requireText("an item", order.item());
        NotUsableException.requirePositive("a count", order.count());
        NotUsableException.requirePresent("a payment", order.payment());
        NotUsableException.requireText("a customer", order.payment().customer());
        NotUsableException.requirePositive("an amount", order.payment().amount());
        return sagas.start(orders, order).xid().value();
    }

    /** Waits a while for the end. */
    @GetMapping("/orders")
    SagaOutcome<Receipt> outcome(
            @RequestParam("xid") String xid, @RequestParam(name = "seconds", defaultValue = "0") int seconds) {
        NotUsableException.requireBetween("seconds", 0, 600, seconds);
        return sagas.find(xid(xid), orders).await(Duration.ofSeconds(seconds));
    }

    @GetMapping("/packing")
    List<String> packing() {
        return warehouse.open();
    }

    @PostMapping("/packed")
    void packed(@RequestParam("id") String correlationId, @RequestParam("parcel") String parcel) {
        NotUsableException.requireText("a parcel", parcel);
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

    private static Xid xid(String text) {
        try {
            return new Xid(text);
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, e, "problem", e.getMessage());
        }
    }

    @ExceptionHandler
    ProblemDetail notUsable(NotUsableException problem) {
        return problem(HttpStatus.BAD_REQUEST, String.valueOf(problem.getMessage()));
    }

    @ExceptionHandler
    ProblemDetail notAnOrder(HttpMessageNotReadableException problem) {
        return problem(
                HttpStatus.BAD_REQUEST,
                "an order is JSON like {\"item\":\"book\",\"count\":2,\"payment\":{\"customer\":\"alice\",\"amount\":30},\"express\":true}");
    }

    @ExceptionHandler
    ProblemDetail parcelIsThere(DuplicateParcelException problem) {
        return problem(HttpStatus.CONFLICT, String.valueOf(problem.getMessage()));
    }

    /** Of a saga or a step that is not known, or a coordinator that is not there. */
    @ExceptionHandler
    ProblemDetail notKnown(TxnException problem) {
        HttpStatus status =
                switch (problem.code()) {
                    case TRANSACTION_NOT_FOUND, SAGA_CORRELATION_UNKNOWN -> HttpStatus.NOT_FOUND;
                    default -> HttpStatus.SERVICE_UNAVAILABLE;
                };
        return problem(status, String.valueOf(problem.getMessage()));
    }

    private static ProblemDetail problem(HttpStatus status, String why) {
        return ProblemDetail.forStatusAndDetail(status, why);
    }
}
