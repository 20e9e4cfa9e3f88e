package io.txn.spring.autoconfigure;

import feign.RequestInterceptor;
import io.txn.client.ContextCarrier;
import io.txn.spring.propagation.XidClientPostProcessor;
import io.txn.spring.propagation.XidFeignInterceptor;
import io.txn.spring.propagation.XidFilter;
import io.txn.spring.propagation.XidRequestInterceptor;
import jakarta.servlet.Filter;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.filter.OncePerRequestFilter;

/** The XID over HTTP. Types that Spring Boot 4 moved have a configuration for each place; one whose type is absent is never loaded. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(PropagationProperties.class)
public final class TxnPropagationAutoConfiguration {

    /** RestTemplate and RestClient. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({RestTemplate.class, RestClient.class})
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class ClientConfiguration {

        @Bean
        @ConditionalOnMissingBean
        XidRequestInterceptor txnXidRequestInterceptor(ContextCarrier contexts) {
            return new XidRequestInterceptor(contexts);
        }

        @Bean
        static XidClientPostProcessor txnXidClientPostProcessor(ObjectProvider<XidRequestInterceptor> interceptor) {
            return new XidClientPostProcessor(interceptor::getObject);
        }

        /** Where Spring Boot 3 has its customizers. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(name = "org.springframework.boot.web.client.RestClientCustomizer")
        static class SpringBoot3 {

            @Bean
            org.springframework.boot.web.client.RestTemplateCustomizer txnRestTemplateCustomizer(
                    XidRequestInterceptor interceptor) {
                return template -> interceptor.addTo(template.getInterceptors());
            }

            @Bean
            org.springframework.boot.web.client.RestClientCustomizer txnRestClientCustomizer(
                    XidRequestInterceptor interceptor) {
                return builder -> builder.requestInterceptors(interceptor::addTo);
            }
        }

        /** Where Spring Boot 4 has its customizers. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(name = "org.springframework.boot.restclient.RestClientCustomizer")
        static class SpringBoot4 {

            @Bean
            org.springframework.boot.restclient.RestTemplateCustomizer txnRestTemplateCustomizer4(
                    XidRequestInterceptor interceptor) {
                return template -> interceptor.addTo(template.getInterceptors());
            }

            @Bean
            org.springframework.boot.restclient.RestClientCustomizer txnRestClientCustomizer4(
                    XidRequestInterceptor interceptor) {
                return builder -> builder.requestInterceptors(interceptor::addTo);
            }
        }
    }

    /** OpenFeign. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(RequestInterceptor.class)
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class FeignConfiguration {

        @Bean
        @ConditionalOnMissingBean
        XidFeignInterceptor txnXidFeignInterceptor(ContextCarrier contexts) {
            return new XidFeignInterceptor(contexts);
        }
    }

    /** Servlet requests. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({Filter.class, OncePerRequestFilter.class})
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
    @ConditionalOnProperty(name = "txn.propagation.incoming", havingValue = "true", matchIfMissing = true)
    static class ServletConfiguration {

        @Bean
        @ConditionalOnMissingBean(name = "txnXidFilter")
        FilterRegistrationBean<XidFilter> txnXidFilter(ContextCarrier contexts) {
            FilterRegistrationBean<XidFilter> registration = new FilterRegistrationBean<>(new XidFilter(contexts));
            registration.setName("txnXidFilter");
            // Early, so that whatever works in the request works in the transaction; after the filter that sets the
            // encoding.
            registration.setOrder(Ordered.HIGHEST_PRECEDENCE + 100);
            return registration;
        }
    }
}
