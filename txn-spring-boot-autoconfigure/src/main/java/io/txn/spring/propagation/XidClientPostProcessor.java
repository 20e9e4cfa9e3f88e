package io.txn.spring.propagation;

import java.util.function.Supplier;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Covers RestTemplate, RestClient and RestClient.Builder beans that an application makes without Spring Boot's builders. */
public final class XidClientPostProcessor implements BeanPostProcessor {

    private final Supplier<XidRequestInterceptor> interceptor;

    /** @param interceptor asked when the first client is made, so that nothing is started early */
    public XidClientPostProcessor(Supplier<XidRequestInterceptor> interceptor) {
        this.interceptor = interceptor;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof RestTemplate template) {
            interceptor.get().addTo(template);
        } else if (bean instanceof RestClient.Builder builder) {
            interceptor.get().addTo(builder);
        } else if (bean instanceof RestClient client) {
            return interceptor.get().within(client);
        }
        return bean;
    }
}
