package io.txn.spring.autoconfigure;

import io.micrometer.context.ContextRegistry;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.AnnotationIndex;
import io.txn.spring.AsyncAspect;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.ContextAccessor;
import io.txn.spring.propagation.ContextTaskExecutors;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.scheduling.config.TaskManagementConfigUtils;

/** What takes global transactions to other threads of the application. */
final class ThreadsBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        if (beans.isOn("txn.propagation.tasks")) {
            boolean async = beans.has(TaskManagementConfigUtils.ASYNC_ANNOTATION_PROCESSOR_BEAN_NAME);
            beans.eager(Tasks.class, "txnContextTaskExecutors", ContextTaskExecutors.class)
                    .getConstructorArgumentValues()
                    .addIndexedArgumentValue(0, async);
            if (async) {
                beans.infrastructure(Tasks.class, "txnAsyncAspect", AsyncAspect.class);
            }
            beans.lazy(Tasks.class, "txnTasksCarrier", Carrier.class);
        }
        if (beans.arePresent("io.micrometer.context.ContextRegistry")) {
            beans.eager(Micrometer.class, "txnContextAccessor", ContextAccessor.class);
            beans.lazy(Micrometer.class, "txnMicrometerCarrier", Carrier.class);
        }
    }

    /** Spring's task executors. */
    static final class Tasks {

        private Tasks() {}

        static ContextTaskExecutors txnContextTaskExecutors(
                boolean async, ObjectProvider<ContextCarrier> txnContextCarrier) {
            return new ContextTaskExecutors(async, new Provided<>(txnContextCarrier));
        }

        static AsyncAspect txnAsyncAspect(
                AnnotationIndex txnAnnotationIndex,
                ObjectProvider<ContextCarrier> txnContextCarrier,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate) {
            return new AsyncAspect(
                    txnAnnotationIndex,
                    new Provided<>(txnContextCarrier),
                    new Provided<>(txnGlobalTransactionTemplate));
        }

        static Carrier txnTasksCarrier() {
            return new Carrier(
                    "@Async, task executors",
                    Carrier.Way.THREADS,
                    "@Async on any executor, every task executor bean",
                    "");
        }
    }

    /** Micrometer's context propagation, and so Reactor where the application switched that on. */
    static final class Micrometer {

        private Micrometer() {}

        static ContextAccessor txnContextAccessor(ContextCarrier txnContextCarrier) {
            return ContextAccessor.register(txnContextCarrier, ContextRegistry.getInstance());
        }

        static Carrier txnMicrometerCarrier() {
            return new Carrier(
                    "Micrometer context propagation",
                    Carrier.Way.THREADS,
                    "its snapshots and executors; Reactor with spring.reactor.context-propagation=auto",
                    "");
        }
    }
}
