package io.txn.spring.autoconfigure;

import io.micrometer.core.instrument.binder.MeterBinder;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.action.Actions;
import io.txn.client.fence.FenceJanitor;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.ActionAspect;
import io.txn.spring.ActionBeans;
import io.txn.spring.ActionFences;
import io.txn.spring.GlobalTransactionalOptions;
import java.util.SplittableRandom;
import org.aspectj.lang.annotation.Aspect;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;

/** Actions: {@code @TccAction} and {@code @SagaAction}, and their fence. */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(FenceProperties.class)
public final class TxnModesAutoConfiguration {

    @Bean
    @Lazy
    Actions txnActions(GlobalTransactionTemplate transactions, ContextCarrier contexts, ResourceManager resources) {
        return new Actions(transactions, contexts, resources);
    }

    /** The annotations. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Aspect.class)
    static class ActionConfiguration {

        @Bean
        ActionBeans txnActionBeans(
                ConfigurableListableBeanFactory beanFactory,
                ObjectProvider<Actions> actions,
                ObjectProvider<ActionFences> fences,
                ObjectProvider<GlobalTransactionalOptions> options) {
            return new ActionBeans(
                    beanFactory, actions::getObject, () -> fences.getIfAvailable(() -> NO_FENCES), options::getObject);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static ActionAspect txnActionAspect(ObjectProvider<ActionBeans> beans) {
            return new ActionAspect(beans::getObject);
        }
    }

    private static final ActionFences NO_FENCES = (dataSource, first, confirm, cancel) -> {
        throw new TxnException(
                ErrorCode.ACTION_MISDECLARED,
                null,
                "method",
                first.method(),
                "problem",
                "its fence needs spring-jdbc and a data source",
                "expected",
                "fencing = Fencing.NONE where all its methods can be called again, before and without each other");
    };

    /** The fence in the application's own databases. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(
            name = {
                "org.springframework.jdbc.datasource.DataSourceUtils",
                "org.springframework.transaction.PlatformTransactionManager"
            })
    static class FenceConfiguration {

        @Bean(destroyMethod = "close")
        FenceJanitor txnFenceJanitor(FenceProperties properties) {
            return new FenceJanitor(properties.cleanUpInterval(), new SplittableRandom());
        }

        /** Loaded only where there are metrics. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(MeterBinder.class)
        static class MetricsConfiguration {

            @Bean
            FenceMetrics txnFenceMetrics(FenceJanitor janitor) {
                return new FenceMetrics(janitor);
            }
        }

        @Bean
        @Lazy
        @ConditionalOnMissingBean
        ActionFences txnActionFences(
                ConfigurableListableBeanFactory beanFactory, FenceProperties properties, FenceJanitor janitor) {
            return new SpringActionFences(beanFactory, properties.toOptions(), janitor);
        }
    }
}
