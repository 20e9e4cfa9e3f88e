package io.txn.samples.saga;

import io.txn.client.saga.SagaDefinition;
import io.txn.test.GeneratedDoc;
import org.junit.jupiter.api.Test;

class OrderSagaTest {

    @Test
    void theDiagramOfTheOrderStandsInTheDocumentation() {
        OrderSaga saga = new OrderSaga();
        SagaDefinition<Order, Receipt> orders = saga.orders(saga.billing());
        GeneratedDoc.of("saga.md").checkSection("diagram", "```mermaid\n" + orders.toMermaid() + "```\n");
    }
}
