package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.action.Actions;
import io.txn.client.fence.FenceJanitor;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.spring.ActionAspect;
import io.txn.spring.ActionBeans;
import io.txn.spring.ActionFences;
import io.txn.spring.AnnotationIndex;
import io.txn.spring.FenceTemplate;
import io.txn.spring.GlobalTransactionalOptions;
import java.util.SplittableRandom;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/** Actions: {@code @TccAction} and {@code @SagaAction}, and their fence. */
final class ModesBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(FenceProperties.class, "txn.fence", FenceProperties::defaults);
        beans.lazy(Annotated.class, "txnActions", Actions.class);
        if (beans.arePresent("org.aspectj.lang.annotation.Aspect")) {
            beans.eager(Annotated.class, "txnActionBeans", ActionBeans.class);
            beans.infrastructure(Annotated.class, "txnActionAspect", ActionAspect.class);
        }
        if (beans.arePresent(
                "org.springframework.jdbc.datasource.DataSourceUtils",
                "org.springframework.transaction.PlatformTransactionManager")) {
            beans.lazy(Fences.class, "txnFenceJanitor", FenceJanitor.class);
            if (beans.arePresent("io.micrometer.core.instrument.binder.MeterBinder")) {
                Metrics.register(beans);
            }
            if (beans.isOwnMissing(ActionFences.class)) {
                beans.lazy(Fences.class, "txnActionFences", ActionFences.class);
            }
            if (beans.isOwnMissing(FenceTemplate.class)) {
                beans.lazy(Fences.class, "txnFenceTemplate", FenceTemplate.class);
            }
        }
    }

    private static ActionFences noFences() {
        return ActionFences.none(
                ErrorCode.ACTION_MISDECLARED,
                "fencing = Fencing.NONE where all its methods can be called again, before and without each other");
    }

    /** The annotations. */
    static final class Annotated {

        private Annotated() {}

        static Actions txnActions(
                GlobalTransactionTemplate txnGlobalTransactionTemplate,
                ContextCarrier txnContextCarrier,
                ResourceManager txnResourceManager) {
            return new Actions(txnGlobalTransactionTemplate, txnContextCarrier, txnResourceManager);
        }

        static ActionBeans txnActionBeans(
                AnnotationIndex txnAnnotationIndex,
                ConfigurableListableBeanFactory beanFactory,
                ObjectProvider<Actions> txnActions,
                ObjectProvider<ActionFences> txnActionFences,
                ObjectProvider<GlobalTransactionalOptions> txnGlobalTransactionalOptions) {
            return new ActionBeans(
                    txnAnnotationIndex,
                    beanFactory,
                    new Provided<>(txnActions),
                    () -> txnActionFences.getIfAvailable(ModesBeans::noFences),
                    new Provided<>(txnGlobalTransactionalOptions));
        }

        static ActionAspect txnActionAspect(
                AnnotationIndex txnAnnotationIndex, ObjectProvider<ActionBeans> txnActionBeans) {
            return new ActionAspect(txnAnnotationIndex, new Provided<>(txnActionBeans));
        }
    }

    /** The fence in the application's own databases. */
    static final class Fences {

        private Fences() {}

        static FenceJanitor txnFenceJanitor(FenceProperties txnFenceProperties) {
            return new FenceJanitor(txnFenceProperties.cleanUpInterval(), new SplittableRandom());
        }

        static ActionFences txnActionFences(
                ConfigurableListableBeanFactory beanFactory,
                FenceProperties txnFenceProperties,
                FenceJanitor txnFenceJanitor) {
            return new SpringActionFences(beanFactory, txnFenceProperties.toOptions(), txnFenceJanitor);
        }

        static FenceTemplate txnFenceTemplate(
                ObjectProvider<ActionFences> txnActionFences, ContextCarrier txnContextCarrier) {
            return new FenceTemplate(new Provided<>(txnActionFences), txnContextCarrier);
        }
    }

    /** Loaded only where there are metrics. */
    static final class Metrics {

        private Metrics() {}

        static void register(BeanRegistrations beans) {
            beans.eager(Metrics.class, "txnFenceMetrics", FenceMetrics.class);
        }

        static FenceMetrics txnFenceMetrics(ObjectProvider<FenceJanitor> txnFenceJanitor) {
            return new FenceMetrics(new Provided<>(txnFenceJanitor));
        }
    }
}
