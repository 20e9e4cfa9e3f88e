package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.client.rm.ResourceManager;
import io.txn.client.saga.Sagas;
import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
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
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.annotation.Order;

/** Sagas that the coordinator drives: their definitions are beans, their steps methods of beans, and their ends application events. State machines in Seata's state language are imported. */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnModesAutoConfiguration.class})
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(StateMachineProperties.class)
public final class TxnSagaAutoConfiguration {

    /** Made for the first definition, step or wish. */
    @Bean
    @Lazy
    @ConditionalOnMissingBean
    Sagas txnSagas(TxnClient client, ResourceManager resources, ApplicationEventPublisher events) {
        return new Sagas(client.sagas(), resources, events::publishEvent);
    }

    @Bean
    SagaBeans txnSagaBeans(
            AnnotationIndex index,
            ConfigurableListableBeanFactory beanFactory,
            ObjectProvider<Sagas> sagas,
            ObjectProvider<ActionFences> fences,
            ObjectProvider<GlobalTransactionalOptions> options) {
        return new SagaBeans(
                index,
                beanFactory,
                sagas::getObject,
                () -> fences.getIfAvailable(() -> NO_FENCES),
                options::getIfAvailable);
    }

    @Bean
    @Lazy
    @ConditionalOnMissingBean
    StateMachines txnStateMachines(
            TxnClient client,
            ResourceManager resources,
            ConfigurableListableBeanFactory beanFactory,
            StateMachineProperties properties,
            ApplicationEventPublisher events) {
        return new StateMachines(
                client.sagas(),
                resources,
                StateMachineBeans.services(beanFactory),
                properties.toOptions(),
                events::publishEvent);
    }

    @Bean
    StateMachineBeans txnStateMachineBeans(
            ConfigurableListableBeanFactory beanFactory,
            ApplicationContext context,
            StateMachineProperties properties,
            ObjectProvider<StateMachines> machines) {
        return new StateMachineBeans(beanFactory, context, properties.resources(), machines::getObject);
    }

    private static final ActionFences NO_FENCES = (dataSource, first, confirm, cancel) -> {
        throw new TxnException(
                ErrorCode.SAGA_MISDECLARED,
                null,
                "method",
                first.method(),
                "problem",
                "its fence needs spring-jdbc and a data source",
                "expected",
                "fencing = Fencing.NONE where it and its compensation can be called again, before and without each other");
    };

    @Bean
    @Lazy
    @Order(650)
    Examination txnSagaExamination(Sagas sagas, StateMachines machines) {
        return new Examination() {
            @Override
            public String about() {
                return "sagas";
            }

            @Override
            public List<Finding> examine() {
                List<Finding> findings = new ArrayList<>();
                findings.add(
                        Finding.well("", sagas.isUsed() ? sagas.describe() : "none is defined or taken part in here"));
                List<String> imported =
                        machines.all().stream().map(StateMachine::id).sorted().toList();
                if (!imported.isEmpty()) {
                    findings.add(Finding.well("state machines", String.join(", ", imported)));
                }
                return findings;
            }
        };
    }
}
