package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.FailureHandler;
import io.txn.client.GlobalLockTemplate;
import io.txn.client.GlobalTransactionHook;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.ResultCodec;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.rm.ResourceManager;
import io.txn.spring.AnnotationIndex;
import io.txn.spring.GlobalLockAspect;
import io.txn.spring.GlobalLockOptions;
import io.txn.spring.GlobalTransactionalAspect;
import io.txn.spring.GlobalTransactionalCheck;
import io.txn.spring.GlobalTransactionalOptions;
import io.txn.spring.LaterResults;
import java.util.function.BooleanSupplier;
import org.aspectj.lang.annotation.Aspect;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.EnableAspectJAutoProxy;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/** The client, and with it the discovery, where only this one is taken: the connection to the coordinators that a locator finds, and the scope of global transactions. */
@AutoConfiguration
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(ClientProperties.class)
@Import(TxnDiscoveryAutoConfiguration.class)
public final class TxnAutoConfiguration {

    private static final String TRANSACTIONS =
            "org.springframework.transaction.support.TransactionSynchronizationManager";

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static AnnotationIndex txnAnnotationIndex() {
        return new AnnotationIndex();
    }

    @Bean
    @ConditionalOnMissingBean
    ContextCarrier txnContextCarrier() {
        return new ContextCarrier();
    }

    /** Nothing says where a coordinator is: the start fails, and its analysis says what to set. */
    @Bean
    @ConditionalOnMissingBean
    CoordinatorLocator txnCoordinatorLocator(Environment environment) {
        throw DiscoveryBeans.nothingFound(environment);
    }

    /** Connects while the other beans are made; {@link ClientLifecycle} waits for it. */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    TxnClient txnClient(
            ClientProperties properties,
            CoordinatorLocator locator,
            ContextCarrier contexts,
            ObjectProvider<TxnClientOptionsCustomizer> customizers,
            ObjectProvider<SslBundles> bundles,
            Environment environment) {
        String name = environment.getProperty("spring.application.name", "");
        TxnClientOptions options = properties
                .toOptions(name.isBlank() ? "application" : name)
                .withTls(ClientSsl.of(properties.ssl(), bundles.getIfAvailable()));
        for (TxnClientOptionsCustomizer customizer : customizers.orderedStream().toList()) {
            options = customizer.customize(options);
        }
        return TxnClient.launch(options, locator, contexts, inLocalTransaction());
    }

    /** Waits for a coordinator before anything brings work; ends the client before any bean is destroyed, and after everything that brings work. */
    @Bean
    ClientLifecycle txnClientLifecycle(TxnClient client) {
        return new ClientLifecycle(client);
    }

    /** The application's hooks and handlers are told of every transaction, from when all beans are made. */
    @Bean
    SmartInitializingSingleton txnHooks(
            ObjectProvider<GlobalTransactionTemplate> transactions,
            ObjectProvider<GlobalTransactionHook> hooks,
            ObjectProvider<FailureHandler> handlers) {
        return () -> {
            hooks.orderedStream().forEach(hook -> transactions.getObject().addHook(hook));
            handlers.orderedStream().forEach(handler -> transactions.getObject().addFailureHandler(handler));
        };
    }

    private static BooleanSupplier inLocalTransaction() {
        return ClassUtils.isPresent(TRANSACTIONS, TxnAutoConfiguration.class.getClassLoader())
                ? TransactionSynchronizationManager::isActualTransactionActive
                : () -> false;
    }

    @Bean
    ResourceManager txnResourceManager(TxnClient client) {
        return client.resources();
    }

    @Bean
    GlobalTransactionTemplate txnGlobalTransactionTemplate(TxnClient client) {
        return client.transactions();
    }

    @Bean
    @Lazy
    GlobalLockTemplate txnGlobalLockTemplate(ContextCarrier contexts) {
        return new GlobalLockTemplate(contexts);
    }

    /** {@code @GlobalTransactional} and {@code @GlobalLock}. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Aspect.class)
    @EnableAspectJAutoProxy
    static class AspectConfiguration {

        @Bean
        GlobalTransactionalOptions txnGlobalTransactionalOptions(
                ClientProperties properties, ConfigurableBeanFactory beanFactory, ObjectProvider<ResultCodec> results) {
            return new GlobalTransactionalOptions(
                    properties.defaultTimeout(), beanFactory::resolveEmbeddedValue, results::getIfAvailable);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static GlobalTransactionalAspect txnGlobalTransactionalAspect(
                AnnotationIndex index,
                ObjectProvider<GlobalTransactionTemplate> transactions,
                ObjectProvider<GlobalTransactionalOptions> options,
                ObjectProvider<LaterResults> later) {
            return new GlobalTransactionalAspect(
                    index, transactions::getObject, options::getObject, later::getIfAvailable);
        }

        @Bean
        @Lazy
        GlobalLockOptions txnGlobalLockOptions(ConfigurableBeanFactory beanFactory) {
            return new GlobalLockOptions(beanFactory::resolveEmbeddedValue);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static GlobalLockAspect txnGlobalLockAspect(
                AnnotationIndex index,
                ObjectProvider<GlobalLockTemplate> locks,
                ObjectProvider<GlobalLockOptions> options) {
            return new GlobalLockAspect(index, locks::getObject, options::getObject);
        }

        @Bean
        static GlobalTransactionalCheck txnGlobalTransactionalCheck(
                AnnotationIndex index,
                ObjectProvider<GlobalTransactionalOptions> options,
                ObjectProvider<GlobalLockOptions> locks,
                ObjectProvider<LaterResults> later) {
            return new GlobalTransactionalCheck(index, options::getObject, locks::getObject, later::getIfAvailable);
        }
    }
}
