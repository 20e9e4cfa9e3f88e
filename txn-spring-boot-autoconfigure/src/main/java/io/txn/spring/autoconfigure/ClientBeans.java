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
import io.txn.spring.ListenerFailures;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/** The client, the scope of global transactions, and their annotations. */
final class ClientBeans extends BeanRegistrar {

    private static final String TRANSACTIONS =
            "org.springframework.transaction.support.TransactionSynchronizationManager";

    /** By name, because few applications have Spring Cloud, and most of these are loaded later, if at all. */
    private static final List<String> NEVER_REFRESHED = List.of(
            "io.txn.client.jdbc.AtDataSource",
            "io.txn.spring.autoconfigure.ClientProperties",
            "io.txn.spring.autoconfigure.CoordinatorProperties",
            "io.txn.spring.autoconfigure.DiscoveryProperties",
            "io.txn.spring.autoconfigure.DoctorProperties",
            "io.txn.spring.autoconfigure.EmbeddedProperties",
            "io.txn.spring.autoconfigure.EtcdProperties",
            "io.txn.spring.autoconfigure.FenceProperties",
            "io.txn.spring.autoconfigure.JdbcProperties",
            "io.txn.spring.autoconfigure.NacosProperties",
            "io.txn.spring.autoconfigure.PropagationProperties",
            "io.txn.spring.autoconfigure.StateMachineProperties",
            "io.txn.spring.autoconfigure.XaProperties");

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(ClientProperties.class, "txn.client", ClientProperties::defaults);
        beans.neverRefreshed(NEVER_REFRESHED);
        beans.infrastructure(Client.class, "txnAnnotationIndex", AnnotationIndex.class);
        if (beans.isOwnMissing(ContextCarrier.class)) {
            beans.eager(Client.class, "txnContextCarrier", ContextCarrier.class);
        }
        if (beans.isOwnMissing(TxnClient.class)) {
            beans.eager(Client.class, "txnClient", TxnClient.class);
        }
        beans.eager(Client.class, "txnClientLifecycle", ClientLifecycle.class);
        beans.eager(Client.class, "txnHooks", SmartInitializingSingleton.class);
        if (beans.arePresent("org.springframework.transaction.event.TransactionalApplicationListener")) {
            beans.eager(Listeners.class, "txnListenerFailures", ListenerFailures.class);
        }
        beans.eager(Client.class, "txnResourceManager", ResourceManager.class);
        beans.eager(Client.class, "txnGlobalTransactionTemplate", GlobalTransactionTemplate.class);
        beans.lazy(Client.class, "txnGlobalLockTemplate", GlobalLockTemplate.class);
        if (beans.arePresent("org.aspectj.lang.annotation.Aspect")) {
            beans.proxyAdvised();
            beans.lazy(Annotated.class, "txnGlobalTransactionalOptions", GlobalTransactionalOptions.class);
            beans.lazy(Annotated.class, "txnGlobalLockOptions", GlobalLockOptions.class);
            beans.infrastructure(Annotated.class, "txnGlobalTransactionalAspect", GlobalTransactionalAspect.class);
            beans.infrastructure(Annotated.class, "txnGlobalLockAspect", GlobalLockAspect.class);
            beans.eager(Annotated.class, "txnGlobalTransactionalCheck", GlobalTransactionalCheck.class);
        }
    }

    /** The client, and what it is made of. */
    static final class Client {

        private Client() {}

        static AnnotationIndex txnAnnotationIndex() {
            return new AnnotationIndex();
        }

        static ContextCarrier txnContextCarrier() {
            return new ContextCarrier();
        }

        /** Asks for a coordinator while the other beans are made; {@link ClientLifecycle} waits for the answer, and has it connect. */
        static TxnClient txnClient(
                ClientProperties txnClientProperties,
                CoordinatorLocator locator,
                ContextCarrier txnContextCarrier,
                ObjectProvider<TxnClientOptionsCustomizer> customizers,
                ObjectProvider<SslBundles> sslBundleRegistry,
                Environment environment) {
            String name = environment.getProperty("spring.application.name", "");
            TxnClientOptions options = txnClientProperties
                    .toOptions(name.isBlank() ? "application" : name)
                    .withTls(ClientSsl.of(txnClientProperties.ssl(), sslBundleRegistry.getIfAvailable()));
            for (TxnClientOptionsCustomizer customizer :
                    customizers.orderedStream().toList()) {
                options = customizer.customize(options);
            }
            return TxnClient.launchLate(options, locator, txnContextCarrier, inLocalTransaction());
        }

        private static BooleanSupplier inLocalTransaction() {
            return ClassUtils.isPresent(TRANSACTIONS, ClientBeans.class.getClassLoader())
                    ? TransactionSynchronizationManager::isActualTransactionActive
                    : () -> false;
        }

        /** Waits for a coordinator before anything brings work; ends the client before any bean is destroyed, and after everything that brings work. */
        static ClientLifecycle txnClientLifecycle(TxnClient txnClient) {
            return new ClientLifecycle(txnClient);
        }

        /** The application's hooks and handlers are told of every transaction, from when all beans are made. */
        static SmartInitializingSingleton txnHooks(
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate,
                ObjectProvider<GlobalTransactionHook> hooks,
                ObjectProvider<FailureHandler> handlers) {
            return new ApplicationHooks(txnGlobalTransactionTemplate, hooks, handlers);
        }

        static ResourceManager txnResourceManager(TxnClient txnClient) {
            return txnClient.resources();
        }

        static GlobalTransactionTemplate txnGlobalTransactionTemplate(TxnClient txnClient) {
            return txnClient.transactions();
        }

        static GlobalLockTemplate txnGlobalLockTemplate(ContextCarrier txnContextCarrier) {
            return new GlobalLockTemplate(txnContextCarrier);
        }
    }

    /** Loaded only where there are local transactions of Spring's. */
    static final class Listeners {

        private Listeners() {}

        static ListenerFailures txnListenerFailures(
                ApplicationContext application,
                ObjectProvider<ContextCarrier> txnContextCarrier,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate) {
            return new ListenerFailures(
                    application, new Provided<>(txnContextCarrier), new Provided<>(txnGlobalTransactionTemplate));
        }
    }

    private record ApplicationHooks(
            ObjectProvider<GlobalTransactionTemplate> transactions,
            ObjectProvider<GlobalTransactionHook> hooks,
            ObjectProvider<FailureHandler> handlers)
            implements SmartInitializingSingleton {

        @Override
        public void afterSingletonsInstantiated() {
            for (GlobalTransactionHook hook : hooks.orderedStream().toList()) {
                transactions.getObject().addHook(hook);
            }
            for (FailureHandler handler : handlers.orderedStream().toList()) {
                transactions.getObject().addFailureHandler(handler);
            }
        }
    }

    /** {@code @GlobalTransactional} and {@code @GlobalLock}. */
    static final class Annotated {

        private Annotated() {}

        static GlobalTransactionalOptions txnGlobalTransactionalOptions(
                ClientProperties txnClientProperties,
                ConfigurableBeanFactory beanFactory,
                ObjectProvider<ResultCodec> results) {
            return new GlobalTransactionalOptions(
                    txnClientProperties.defaultTimeout(),
                    beanFactory::resolveEmbeddedValue,
                    new ProvidedIfAny<>(results));
        }

        static GlobalTransactionalAspect txnGlobalTransactionalAspect(
                AnnotationIndex txnAnnotationIndex,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate,
                ObjectProvider<GlobalTransactionalOptions> txnGlobalTransactionalOptions,
                ObjectProvider<LaterResults> later) {
            return new GlobalTransactionalAspect(
                    txnAnnotationIndex,
                    new Provided<>(txnGlobalTransactionTemplate),
                    new Provided<>(txnGlobalTransactionalOptions),
                    new ProvidedIfAny<>(later));
        }

        static GlobalLockOptions txnGlobalLockOptions(ConfigurableBeanFactory beanFactory) {
            return new GlobalLockOptions(beanFactory::resolveEmbeddedValue);
        }

        static GlobalLockAspect txnGlobalLockAspect(
                AnnotationIndex txnAnnotationIndex,
                ObjectProvider<GlobalLockTemplate> txnGlobalLockTemplate,
                ObjectProvider<GlobalLockOptions> txnGlobalLockOptions) {
            return new GlobalLockAspect(
                    txnAnnotationIndex, new Provided<>(txnGlobalLockTemplate), new Provided<>(txnGlobalLockOptions));
        }

        static GlobalTransactionalCheck txnGlobalTransactionalCheck(
                AnnotationIndex txnAnnotationIndex,
                ObjectProvider<GlobalTransactionalOptions> txnGlobalTransactionalOptions,
                ObjectProvider<GlobalLockOptions> txnGlobalLockOptions,
                ObjectProvider<LaterResults> later,
                ObjectProvider<ContextCarrier> txnContextCarrier,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate) {
            return new GlobalTransactionalCheck(
                    txnAnnotationIndex,
                    new Provided<>(txnGlobalTransactionalOptions),
                    new Provided<>(txnGlobalLockOptions),
                    new ProvidedIfAny<>(later),
                    new Provided<>(txnContextCarrier),
                    new Provided<>(txnGlobalTransactionTemplate));
        }
    }
}
