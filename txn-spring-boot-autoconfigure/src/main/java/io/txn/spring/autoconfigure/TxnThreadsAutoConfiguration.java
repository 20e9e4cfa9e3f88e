package io.txn.spring.autoconfigure;

import io.micrometer.context.ContextRegistry;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.AsyncAspect;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.ContextAccessor;
import io.txn.spring.propagation.ContextTaskExecutors;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;
import org.springframework.scheduling.config.TaskManagementConfigUtils;

/** Global transactions on other threads of this application. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnThreadsAutoConfiguration {

    @Bean
    @ConditionalOnProperty(name = "txn.propagation.tasks", havingValue = "true", matchIfMissing = true)
    static ContextTaskExecutors txnContextTaskExecutors(ObjectProvider<ContextCarrier> contexts) {
        return new ContextTaskExecutors(contexts::getObject);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    @ConditionalOnBean(name = TaskManagementConfigUtils.ASYNC_ANNOTATION_PROCESSOR_BEAN_NAME)
    @ConditionalOnProperty(name = "txn.propagation.tasks", havingValue = "true", matchIfMissing = true)
    static AsyncAspect txnAsyncAspect(
            ObjectProvider<ContextCarrier> contexts, ObjectProvider<GlobalTransactionTemplate> transactions) {
        return new AsyncAspect(contexts::getObject, transactions::getObject);
    }

    @Bean
    @Lazy
    @ConditionalOnProperty(name = "txn.propagation.tasks", havingValue = "true", matchIfMissing = true)
    Carrier txnTasksCarrier() {
        return new Carrier("@Async, task executors", Carrier.Way.THREADS, "every task executor bean", "");
    }

    /** Micrometer's context propagation, and so Reactor where the application switched that on. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ContextRegistry.class)
    static class MicrometerConfiguration {

        @Bean
        ContextAccessor txnContextAccessor(ContextCarrier contexts) {
            return ContextAccessor.register(contexts, ContextRegistry.getInstance());
        }

        @Bean
        @Lazy
        Carrier txnMicrometerCarrier() {
            return new Carrier(
                    "Micrometer context propagation",
                    Carrier.Way.THREADS,
                    "its snapshots and executors; Reactor with spring.reactor.context-propagation=auto",
                    "");
        }
    }
}
