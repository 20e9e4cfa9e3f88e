package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.ReactiveTransactions;
import io.txn.spring.propagation.ReactiveContexts;
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;

/** Global transactions in chains of Reactor's. */
final class ReactiveBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        beans.lazy(Chains.class, "txnReactiveContexts", ReactiveContexts.class);
        beans.lazy(Chains.class, "txnReactiveTransactions", ReactiveTransactions.class);
    }

    /** Chains. */
    static final class Chains {

        private Chains() {}

        static ReactiveContexts txnReactiveContexts(ContextCarrier txnContextCarrier) {
            return new ReactiveContexts(txnContextCarrier);
        }

        static ReactiveTransactions txnReactiveTransactions(
                ContextCarrier txnContextCarrier,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate) {
            return new ReactiveTransactions(
                    txnContextCarrier, new Provided<>(txnGlobalTransactionTemplate), InstantSource.system());
        }
    }
}
