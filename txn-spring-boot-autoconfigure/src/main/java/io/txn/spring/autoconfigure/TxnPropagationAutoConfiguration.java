package io.txn.spring.autoconfigure;

import feign.RequestInterceptor;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.propagation.Alarm;
import io.txn.spring.propagation.ApacheDeadlines;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.Carriers;
import io.txn.spring.propagation.CarriersExamination;
import io.txn.spring.propagation.ContextCircuitBreakers;
import io.txn.spring.propagation.EntryExceptions;
import io.txn.spring.propagation.Incoming;
import io.txn.spring.propagation.JerseyExceptions;
import io.txn.spring.propagation.Outgoing;
import io.txn.spring.propagation.ReactiveContexts;
import io.txn.spring.propagation.RequestFactories;
import io.txn.spring.propagation.Trust;
import io.txn.spring.propagation.XidClientPostProcessor;
import io.txn.spring.propagation.XidExchangeFilter;
import io.txn.spring.propagation.XidFeignCapability;
import io.txn.spring.propagation.XidFeignInterceptor;
import io.txn.spring.propagation.XidFilter;
import io.txn.spring.propagation.XidRequestInterceptor;
import io.txn.spring.propagation.XidWebClientPostProcessor;
import jakarta.servlet.Filter;
import java.time.InstantSource;
import org.glassfish.jersey.server.ResourceConfig;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** The XID over HTTP. Types that Spring Boot 4 moved have a configuration for each place; one whose type is absent is never loaded. */
@AutoConfiguration(after = TxnAutoConfiguration.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(PropagationProperties.class)
public final class TxnPropagationAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    Trust txnTrust(PropagationProperties properties) {
        return properties.trust();
    }

    @Bean
    @Lazy
    Outgoing txnOutgoing(ContextCarrier contexts, Trust trust) {
        return new Outgoing(contexts, trust, InstantSource.system());
    }

    @Bean
    Incoming txnIncoming(ObjectProvider<GlobalTransactionTemplate> transactions, Trust trust) {
        return new Incoming(transactions::getObject, trust, InstantSource.system());
    }

    /** Each way in or out has a {@link Carrier} of its own. */
    @Bean
    @Lazy
    Carriers txnCarriers(ObjectProvider<Carrier> carriers) {
        return new Carriers(carriers.stream().toList());
    }

    @Bean
    @Lazy
    @Order(400)
    CarriersExamination txnCarriersExamination(Carriers carriers) {
        return new CarriersExamination(carriers);
    }

    /** RestTemplate and RestClient. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({RestTemplate.class, RestClient.class})
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class ClientConfiguration {

        @Bean
        @Lazy
        Carrier txnRestCarrier() {
            return new Carrier(
                    "RestTemplate, RestClient",
                    Carrier.Way.OUT,
                    "beans, and what Spring Boot's builders build",
                    "cancelling; with HttpURLConnection its limits for connecting and reading");
        }

        @Bean
        @Lazy
        @ConditionalOnMissingBean
        XidRequestInterceptor txnXidRequestInterceptor(
                Outgoing outgoing, Alarm alarm, ObjectProvider<RequestFactories> factories) {
            return new XidRequestInterceptor(outgoing, alarm, factories.getIfAvailable(() -> factory -> {}));
        }

        @Bean
        @Lazy
        Alarm txnAlarm() {
            return new Alarm();
        }

        /** Apache's client, version 5. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(org.apache.hc.client5.http.classic.HttpClient.class)
        static class ApacheConfiguration {

            @Bean
            @Lazy
            RequestFactories txnApacheDeadlines(ContextCarrier contexts, Alarm alarm) {
                return new ApacheDeadlines(contexts, alarm, InstantSource.system());
            }
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
            @Lazy
            org.springframework.boot.web.client.RestTemplateCustomizer txnRestTemplateCustomizer(
                    XidRequestInterceptor interceptor) {
                return interceptor::addTo;
            }

            @Bean
            @Lazy
            org.springframework.boot.web.client.RestClientCustomizer txnRestClientCustomizer(
                    XidRequestInterceptor interceptor) {
                return interceptor::addTo;
            }
        }

        /** Where Spring Boot 4 has its customizers. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(name = "org.springframework.boot.restclient.RestClientCustomizer")
        static class SpringBoot4 {

            @Bean
            @Lazy
            org.springframework.boot.restclient.RestTemplateCustomizer txnRestTemplateCustomizer4(
                    XidRequestInterceptor interceptor) {
                return interceptor::addTo;
            }

            @Bean
            @Lazy
            org.springframework.boot.restclient.RestClientCustomizer txnRestClientCustomizer4(
                    XidRequestInterceptor interceptor) {
                return interceptor::addTo;
            }
        }
    }

    /** OpenFeign. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(RequestInterceptor.class)
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class FeignConfiguration {

        @Bean
        @Lazy
        Carrier txnFeignCarrier() {
            return new Carrier(
                    "OpenFeign", Carrier.Way.OUT, "every client, whatever is behind it", "a shorter read timeout");
        }

        @Bean
        @Lazy
        @ConditionalOnMissingBean
        XidFeignInterceptor txnXidFeignInterceptor(Outgoing outgoing) {
            return new XidFeignInterceptor(outgoing);
        }

        @Bean
        @Lazy
        XidFeignCapability txnXidFeignCapability(Outgoing outgoing) {
            return new XidFeignCapability(outgoing);
        }
    }

    /** Circuit breakers of Spring Cloud, whoever makes them. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(CircuitBreakerFactory.class)
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class CircuitBreakerConfiguration {

        @Bean
        static ContextCircuitBreakers txnContextCircuitBreakers(
                ObjectProvider<ContextCarrier> contexts, ObjectProvider<GlobalTransactionTemplate> transactions) {
            return new ContextCircuitBreakers(contexts::getObject, transactions::getObject);
        }

        @Bean
        @Lazy
        Carrier txnCircuitBreakerCarrier() {
            return new Carrier("Spring Cloud circuit breakers", Carrier.Way.THREADS, "those of every factory bean", "");
        }
    }

    /** Servlet requests. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({Filter.class, OncePerRequestFilter.class})
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
    @ConditionalOnProperty(name = "txn.propagation.incoming", havingValue = "true", matchIfMissing = true)
    static class ServletConfiguration {

        @Bean
        @Lazy
        Carrier txnServletCarrier() {
            return new Carrier("Servlet requests", Carrier.Way.IN, "every request", "");
        }

        @Bean
        @ConditionalOnMissingBean(name = "txnXidFilter")
        FilterRegistrationBean<XidFilter> txnXidFilter(ContextCarrier contexts, Incoming incoming) {
            FilterRegistrationBean<XidFilter> registration =
                    new FilterRegistrationBean<>(new XidFilter(contexts, incoming));
            registration.setName("txnXidFilter");
            // Early, so that whatever works in the request works in the transaction; after the filter that sets the
            // encoding.
            registration.setOrder(Ordered.HIGHEST_PRECEDENCE + 100);
            return registration;
        }

        /** Jersey. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(ResourceConfig.class)
        static class JerseyConfiguration {

            @Bean
            static JerseyExceptions txnJerseyExceptions(ObjectProvider<Incoming> incoming) {
                return new JerseyExceptions(incoming::getObject);
            }
        }

        /** Spring MVC. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(HandlerExceptionResolver.class)
        static class MvcConfiguration {

            @Bean
            EntryExceptions txnEntryExceptions(ContextCarrier contexts, Incoming incoming) {
                return new EntryExceptions(contexts, incoming);
            }
        }
    }

    /** WebClient. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(WebClient.class)
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class WebClientConfiguration {

        @Bean
        @Lazy
        Carrier txnWebClientCarrier() {
            return new Carrier(
                    "WebClient", Carrier.Way.OUT, "builder beans, and what Spring Boot's builder builds", "cancelling");
        }

        @Bean
        @Lazy
        XidExchangeFilter txnXidExchangeFilter(ReactiveContexts contexts, Outgoing outgoing) {
            return new XidExchangeFilter(contexts, outgoing);
        }

        @Bean
        static XidWebClientPostProcessor txnXidWebClientPostProcessor(ObjectProvider<XidExchangeFilter> filter) {
            return new XidWebClientPostProcessor(filter::getObject);
        }

        /** Where Spring Boot 3 has its customizer. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(name = "org.springframework.boot.web.reactive.function.client.WebClientCustomizer")
        static class SpringBoot3 {

            @Bean
            @Lazy
            org.springframework.boot.web.reactive.function.client.WebClientCustomizer txnWebClientCustomizer(
                    XidExchangeFilter filter) {
                return builder -> builder.filters(filter::addTo);
            }
        }

        /** Where Spring Boot 4 has its customizer. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(name = "org.springframework.boot.webclient.WebClientCustomizer")
        static class SpringBoot4 {

            @Bean
            @Lazy
            org.springframework.boot.webclient.WebClientCustomizer txnWebClientCustomizer4(XidExchangeFilter filter) {
                return builder -> builder.filters(filter::addTo);
            }
        }
    }
}
