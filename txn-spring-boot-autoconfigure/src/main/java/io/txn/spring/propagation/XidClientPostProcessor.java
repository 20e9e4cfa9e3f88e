package io.txn.spring.propagation;

import java.util.function.Supplier;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/**
 * Covers RestTemplate, RestClient and RestClient.Builder beans that an application makes without Spring Boot's builders. The proxies of scoped beans are left alone: behind them are
 * beans of their own, and outside of its scope there is none.
 */
public final class XidClientPostProcessor implements BeanPostProcessor {

    private final Supplier<XidRequestInterceptor> interceptor;

    /** @param interceptor asked when the first client is made, so that nothing is started early */
    public XidClientPostProcessor(Supplier<XidRequestInterceptor> interceptor) {
        this.interceptor = interceptor;
    }

    /** A client is replaced before advice and spies come around it: they would be lost. */
    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        return covered(bean);
    }

    /** What a factory bean makes comes by here alone. */
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof AopInfrastructureBean) {
            return bean;
        }
        if (bean instanceof RestTemplate template) {
            interceptor.get().addTo(template);
        } else if (bean instanceof RestClient.Builder builder) {
            interceptor.get().addTo(builder);
        }
        return covered(bean);
    }

    /** What an application has put around a client, or made itself, is nobody's to replace. */
    private Object covered(Object bean) {
        return bean instanceof RestClient client
                        && client.getClass().getName().equals("org.springframework.web.client.DefaultRestClient")
                ? interceptor.get().within(client)
                : bean;
    }
}
