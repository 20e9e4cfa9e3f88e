package io.txn.samples.saga;

import static io.txn.client.saga.Saga.call;
import static io.txn.client.saga.Saga.callLater;

import io.txn.client.saga.Choice;
import io.txn.client.saga.Retry;
import io.txn.client.saga.Round;
import io.txn.client.saga.Saga;
import io.txn.client.saga.SagaBuilder;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.Step;
import io.txn.client.saga.Value;
import java.time.Duration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The order: goods are put aside, then paid and packed beside each other, then sent, followed, and receipted. */
@Configuration(proxyBeanMethods = false)
class OrderSaga {

    @Bean
    SagaDefinition<Payment, Payment> billing() {
        SagaBuilder<Payment> saga = Saga.define("billing", 1, Payment.class);
        Step<Payment> pay = saga.step(
                        "pay",
                        call(Wallet.class, Wallet::pay, saga.input(Payment::customer), saga.input(Payment::amount)))
                .timeout(Duration.ofSeconds(5))
                .retry(Retry.times(4).from(Duration.ofMillis(100)).upTo(Duration.ofSeconds(2)));
        return saga.returns(pay.result());
    }

    @Bean
    SagaDefinition<Order, Receipt> orders(SagaDefinition<Payment, Payment> billing) {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class).announced();
        Value<String> item = saga.input(Order::item);

        Step<Reservation> freeze =
                saga.step("freeze", call(Stock.class, Stock::freeze, item, saga.input(Order::count)));
        Step<Payment> pay =
                saga.saga("billing", billing, saga.input(Order::payment)).after(freeze);
        Step<Parcel> pack = saga.step("pack", callLater(Warehouse.class, Warehouse::pack, item))
                .after(freeze)
                .within(Duration.ofHours(2));
        Value<String> parcel = pack.result(Parcel::number);

        Choice how = saga.choose("how", saga.input(Order::express), express -> express ? "by-air" : "by-road")
                .when(
                        "by-air",
                        way -> way.step("fly", call(Shipping.class, Shipping::send, parcel, Value.constant("air"))))
                .when(
                        "by-road",
                        way -> way.step("drive", call(Shipping.class, Shipping::send, parcel, Value.constant("road"))))
                .after(pay, pack);
        Round arrived = saga.repeat("arrived", 10, round -> {
                    Step<Integer> follow = round.step("follow", call(Shipping.class, Shipping::follow, parcel))
                            .notCompensated();
                    round.until(follow.result(), stations -> stations >= 3);
                })
                .after(how);
        Step<Receipt> receipt = saga.step(
                        "receipt", call(Shipping.class, Shipping::receipt, parcel, pay.result(Payment::amount)))
                .after(arrived)
                .notCompensated()
                .forward();
        return saga.returns(receipt.result());
    }
}
