package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.client.rm.ResourceManager;
import io.txn.client.saga.Sagas;
import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.protocol.ErrorCode;
import io.txn.spring.ActionFences;
import io.txn.spring.AnnotationIndex;
import io.txn.spring.GlobalTransactionalOptions;
import io.txn.spring.SagaBeans;
import io.txn.spring.StateMachineBeans;
import io.txn.spring.doctor.Examination;
import io.txn.spring.doctor.Finding;
import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.core.annotation.Order;
import org.springframework.core.io.ResourceLoader;
import org.springframework.core.io.support.ResourcePatternUtils;

/** Sagas that the coordinator drives. */
final class SagaModeBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(StateMachineProperties.class, "txn.saga.state-machine", StateMachineProperties::defaults);
        if (beans.isOwnMissing(Sagas.class)) {
            beans.lazy(Own.class, "txnSagas", Sagas.class);
        }
        beans.eager(Own.class, "txnSagaBeans", SagaBeans.class);
        if (beans.isOwnMissing(StateMachines.class)) {
            beans.lazy(Own.class, "txnStateMachines", StateMachines.class);
        }
        beans.eager(Own.class, "txnStateMachineBeans", StateMachineBeans.class);
        beans.lazy(Own.class, "txnSagaExamination", Examination.class);
    }

    private static ActionFences noFences() {
        return ActionFences.none(
                ErrorCode.SAGA_MISDECLARED,
                "fencing = Fencing.NONE where it and its compensation can be called again, before and without each other");
    }

    /** All of it. */
    static final class Own {

        private Own() {}

        /** Made for the first definition, step or wish. */
        static Sagas txnSagas(
                TxnClient txnClient, ResourceManager txnResourceManager, ApplicationEventPublisher events) {
            return new Sagas(txnClient.sagas(), txnResourceManager, new PublishedEnds(events));
        }

        static SagaBeans txnSagaBeans(
                AnnotationIndex txnAnnotationIndex,
                ConfigurableListableBeanFactory beanFactory,
                ObjectProvider<Sagas> sagas,
                ObjectProvider<ActionFences> fences,
                ObjectProvider<GlobalTransactionalOptions> txnGlobalTransactionalOptions) {
            return new SagaBeans(
                    txnAnnotationIndex,
                    beanFactory,
                    new Provided<>(sagas),
                    () -> fences.getIfAvailable(SagaModeBeans::noFences),
                    new ProvidedIfAny<>(txnGlobalTransactionalOptions));
        }

        static StateMachines txnStateMachines(
                TxnClient txnClient,
                ResourceManager txnResourceManager,
                ConfigurableListableBeanFactory beanFactory,
                StateMachineProperties txnStateMachineProperties,
                ApplicationEventPublisher events) {
            return new StateMachines(
                    txnClient.sagas(),
                    txnResourceManager,
                    StateMachineBeans.services(beanFactory),
                    txnStateMachineProperties.toOptions(),
                    new PublishedEnds(events));
        }

        static StateMachineBeans txnStateMachineBeans(
                ConfigurableListableBeanFactory beanFactory,
                ResourceLoader resources,
                StateMachineProperties txnStateMachineProperties,
                ObjectProvider<StateMachines> machines) {
            return new StateMachineBeans(
                    beanFactory,
                    ResourcePatternUtils.getResourcePatternResolver(resources),
                    txnStateMachineProperties.resources(),
                    new Provided<>(machines));
        }

        @Order(650)
        static Examination txnSagaExamination(Sagas sagas, StateMachines machines) {
            return new Examination() {
                @Override
                public String about() {
                    return "sagas";
                }

                @Override
                public List<Finding> examine() {
                    List<Finding> findings = new ArrayList<>();
                    findings.add(Finding.well(
                            "", sagas.isUsed() ? sagas.describe() : "none is defined or taken part in here"));
                    List<String> imported = machines.all().stream()
                            .map(StateMachine::id)
                            .sorted()
                            .toList();
                    if (!imported.isEmpty()) {
                        findings.add(Finding.well("state machines", String.join(", ", imported)));
                    }
                    return findings;
                }
            };
        }
    }
}
