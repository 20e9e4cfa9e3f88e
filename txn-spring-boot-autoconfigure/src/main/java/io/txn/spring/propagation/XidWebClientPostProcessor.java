package io.txn.spring.propagation;

import java.util.function.Supplier;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.web.reactive.function.client.WebClient;

/** Covers WebClient and WebClient.Builder beans that an application makes without Spring Boot's builder. */
public final class XidWebClientPostProcessor implements BeanPostProcessor {

    private final Supplier<XidExchangeFilter> filter;

    /** @param filter asked when the first builder is made, so that nothing is started early */
    public XidWebClientPostProcessor(Supplier<XidExchangeFilter> filter) {
        this.filter = filter;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof WebClient.Builder builder) {
            builder.filters(filter.get()::addTo);
        } else if (bean instanceof WebClient client) {
            return filter.get().within(client);
        }
        return bean;
    }
}
