package io.txn.spring.propagation;

import java.util.function.Supplier;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.web.reactive.function.client.WebClient;

/**
 * Covers WebClient and WebClient.Builder beans that an application makes without Spring Boot's builder. The proxies of scoped beans are left alone: behind them are beans of their own, and
 * outside of its scope there is none.
 */
public final class XidWebClientPostProcessor implements BeanPostProcessor {

    private final Supplier<XidExchangeFilter> filter;

    /** @param filter asked when the first builder is made, so that nothing is started early */
    public XidWebClientPostProcessor(Supplier<XidExchangeFilter> filter) {
        this.filter = filter;
    }

    /** A client is replaced before advice and spies come around it: they would be lost. */
    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        return covered(bean);
    }

    /** What a factory bean makes comes by here alone. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof WebClient.Builder builder && !(bean instanceof AopInfrastructureBean)) {
            builder.filters(filter.get()::addTo);
        }
        return covered(bean);
    }

    /** What an application has put around a client, or made itself, is nobody's to replace. */
    private Object covered(Object bean) {
        return bean instanceof WebClient client
                        && client.getClass()
                                .getName()
                                .equals("org.springframework.web.reactive.function.client.DefaultWebClient")
                ? filter.get().within(client)
                : bean;
    }
}
