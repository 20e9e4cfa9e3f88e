package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.propagation.Alarm;
import io.txn.spring.propagation.ApacheDeadlines;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.Carriers;
import io.txn.spring.propagation.CarriersExamination;
import io.txn.spring.propagation.ContextCircuitBreakers;
import io.txn.spring.propagation.EntryExceptions;
import io.txn.spring.propagation.HttpServiceGroups;
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
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.core.Ordered;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.Order;
import org.springframework.util.ClassUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

/**
 * Each way in and out of an application that carries global transactions, as far as its types are on the class path. What Spring Boot 4 moved has a maker for each place.
 */
final class PropagationBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        common(beans);
        if (beans.isOn("txn.propagation.outgoing")) {
            rest(beans);
            feign(beans);
            circuitBreakers(beans);
            webClient(beans);
        }
        if (beans.isOn("txn.propagation.incoming") && beans.isServletApplication()) {
            servlet(beans);
        }
    }

    private static void common(BeanRegistrations beans) {
        beans.bindLate(PropagationProperties.class, "txn.propagation", PropagationProperties::defaults);
        if (beans.isOwnMissing(Trust.class)) {
            // What is wrong with keys fails the start; without any there is nothing to be wrong.
            beans.lazy(Common.class, "txnTrust", Trust.class).setLazyInit(!beans.mayBeSet("txn.propagation"));
        }
        beans.lazy(Common.class, "txnOutgoing", Outgoing.class);
        beans.lazy(Common.class, "txnIncoming", Incoming.class);
        beans.lazy(Common.class, "txnCarriers", Carriers.class);
        beans.lazy(Common.class, "txnCarriersExamination", CarriersExamination.class);
    }

    /** What all ways have in common. */
    static final class Common {

        private Common() {}

        static Trust txnTrust(PropagationProperties txnPropagationProperties) {
            return txnPropagationProperties.trust();
        }

        static Outgoing txnOutgoing(ContextCarrier txnContextCarrier, ObjectProvider<Trust> txnTrust) {
            return new Outgoing(txnContextCarrier, new Provided<>(txnTrust), InstantSource.system());
        }

        static Incoming txnIncoming(
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate, Trust txnTrust) {
            return new Incoming(new Provided<>(txnGlobalTransactionTemplate), txnTrust, InstantSource.system());
        }

        /** Each way in or out has a {@link Carrier} of its own. */
        static Carriers txnCarriers(ObjectProvider<Carrier> carriers) {
            return new Carriers(carriers.stream().toList());
        }

        @Order(400)
        static CarriersExamination txnCarriersExamination(Carriers txnCarriers) {
            return new CarriersExamination(txnCarriers);
        }
    }

    private static void rest(BeanRegistrations beans) {
        if (!beans.arePresent(
                "org.springframework.web.client.RestTemplate", "org.springframework.web.client.RestClient")) {
            return;
        }
        beans.lazy(Rest.class, "txnRestCarrier", Carrier.class);
        if (beans.isOwnMissing(XidRequestInterceptor.class)) {
            beans.lazy(Rest.class, "txnXidRequestInterceptor", XidRequestInterceptor.class);
        }
        beans.lazy(Rest.class, "txnAlarm", Alarm.class);
        beans.eager(Rest.class, "txnXidClientPostProcessor", XidClientPostProcessor.class);
        if (beans.arePresent("org.apache.hc.client5.http.classic.HttpClient")) {
            beans.lazy(Apache.class, "txnApacheDeadlines", RequestFactories.class);
        }
        if (beans.arePresent("org.springframework.boot.web.client.RestClientCustomizer")) {
            RestOfSpringBoot3.register(beans);
        }
        if (beans.arePresent(HttpServiceGroups.REST_CLIENTS)) {
            beans.lazy(RestGroups.class, "txnRestServiceGroups", beans.type(HttpServiceGroups.REST_CLIENTS));
        }
        if (beans.arePresent("org.springframework.boot.restclient.RestClientCustomizer")) {
            RestOfSpringBoot4.register(beans);
        }
    }

    /** RestTemplate and RestClient. */
    static final class Rest {

        private Rest() {}

        static Carrier txnRestCarrier() {
            return new Carrier(
                    "RestTemplate, RestClient",
                    Carrier.Way.OUT,
                    "beans, and what Spring Boot's builders build",
                    "cancelling; with HttpURLConnection its limits for connecting and reading");
        }

        static XidRequestInterceptor txnXidRequestInterceptor(
                Outgoing txnOutgoing, Alarm txnAlarm, ObjectProvider<RequestFactories> factories) {
            return new XidRequestInterceptor(txnOutgoing, txnAlarm, factories.getIfAvailable(() -> factory -> {}));
        }

        static Alarm txnAlarm() {
            return new Alarm();
        }

        static XidClientPostProcessor txnXidClientPostProcessor(
                ObjectProvider<XidRequestInterceptor> txnXidRequestInterceptor) {
            return new XidClientPostProcessor(new Provided<>(txnXidRequestInterceptor));
        }
    }

    /** Apache's client, version 5. */
    static final class Apache {

        private Apache() {}

        static RequestFactories txnApacheDeadlines(ContextCarrier txnContextCarrier, Alarm txnAlarm) {
            return new ApacheDeadlines(txnContextCarrier, txnAlarm, InstantSource.system());
        }
    }

    /** Groups of HTTP interfaces over RestClient, of Spring 7. */
    static final class RestGroups {

        private RestGroups() {}

        static Object txnRestServiceGroups(
                ConfigurableBeanFactory beanFactory, ObjectProvider<XidRequestInterceptor> txnXidRequestInterceptor) {
            Class<?> type =
                    ClassUtils.resolveClassName(HttpServiceGroups.REST_CLIENTS, beanFactory.getBeanClassLoader());
            return HttpServiceGroups.configurer(type, RestClient.Builder.class, builder -> txnXidRequestInterceptor
                    .getObject()
                    .addTo(builder));
        }
    }

    /** Where Spring Boot 3 has its customizers. */
    static final class RestOfSpringBoot3 {

        private RestOfSpringBoot3() {}

        static void register(BeanRegistrations beans) {
            Class<?> maker = RestOfSpringBoot3.class;
            beans.lazy(
                    maker,
                    "txnRestTemplateCustomizer",
                    org.springframework.boot.web.client.RestTemplateCustomizer.class);
            beans.lazy(
                    maker, "txnRestClientCustomizer", org.springframework.boot.web.client.RestClientCustomizer.class);
        }

        static org.springframework.boot.web.client.RestTemplateCustomizer txnRestTemplateCustomizer(
                XidRequestInterceptor txnXidRequestInterceptor) {
            return txnXidRequestInterceptor::addTo;
        }

        static org.springframework.boot.web.client.RestClientCustomizer txnRestClientCustomizer(
                XidRequestInterceptor txnXidRequestInterceptor) {
            return txnXidRequestInterceptor::addTo;
        }
    }

    /** Where Spring Boot 4 has its customizers. */
    static final class RestOfSpringBoot4 {

        private RestOfSpringBoot4() {}

        static void register(BeanRegistrations beans) {
            Class<?> maker = RestOfSpringBoot4.class;
            beans.lazy(
                    maker,
                    "txnRestTemplateCustomizer4",
                    org.springframework.boot.restclient.RestTemplateCustomizer.class);
            beans.lazy(
                    maker, "txnRestClientCustomizer4", org.springframework.boot.restclient.RestClientCustomizer.class);
        }

        static org.springframework.boot.restclient.RestTemplateCustomizer txnRestTemplateCustomizer4(
                XidRequestInterceptor txnXidRequestInterceptor) {
            return txnXidRequestInterceptor::addTo;
        }

        static org.springframework.boot.restclient.RestClientCustomizer txnRestClientCustomizer4(
                XidRequestInterceptor txnXidRequestInterceptor) {
            return txnXidRequestInterceptor::addTo;
        }
    }

    private static void feign(BeanRegistrations beans) {
        if (!beans.arePresent("feign.RequestInterceptor")) {
            return;
        }
        beans.lazy(FeignClients.class, "txnFeignCarrier", Carrier.class);
        if (beans.isOwnMissing(XidFeignInterceptor.class)) {
            beans.lazy(FeignClients.class, "txnXidFeignInterceptor", XidFeignInterceptor.class);
        }
        beans.lazy(FeignClients.class, "txnXidFeignCapability", XidFeignCapability.class);
    }

    /** OpenFeign. */
    static final class FeignClients {

        private FeignClients() {}

        static Carrier txnFeignCarrier() {
            return new Carrier(
                    "OpenFeign", Carrier.Way.OUT, "every client, whatever is behind it", "a shorter read timeout");
        }

        static XidFeignInterceptor txnXidFeignInterceptor(Outgoing txnOutgoing) {
            return new XidFeignInterceptor(txnOutgoing);
        }

        static XidFeignCapability txnXidFeignCapability(Outgoing txnOutgoing) {
            return new XidFeignCapability(txnOutgoing);
        }
    }

    private static void circuitBreakers(BeanRegistrations beans) {
        if (beans.arePresent("org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory")) {
            beans.eager(CircuitBreakers.class, "txnContextCircuitBreakers", ContextCircuitBreakers.class);
            beans.lazy(CircuitBreakers.class, "txnCircuitBreakerCarrier", Carrier.class);
        }
    }

    /** Circuit breakers of Spring Cloud, whoever makes them. */
    static final class CircuitBreakers {

        private CircuitBreakers() {}

        static ContextCircuitBreakers txnContextCircuitBreakers(
                ObjectProvider<ContextCarrier> txnContextCarrier,
                ObjectProvider<GlobalTransactionTemplate> txnGlobalTransactionTemplate) {
            return new ContextCircuitBreakers(
                    new Provided<>(txnContextCarrier), new Provided<>(txnGlobalTransactionTemplate));
        }

        static Carrier txnCircuitBreakerCarrier() {
            return new Carrier("Spring Cloud circuit breakers", Carrier.Way.THREADS, "those of every factory bean", "");
        }
    }

    private static void webClient(BeanRegistrations beans) {
        if (!beans.arePresent(
                "org.springframework.web.reactive.function.client.WebClient", "reactor.core.publisher.Mono")) {
            return;
        }
        beans.lazy(WebClients.class, "txnWebClientCarrier", Carrier.class);
        beans.lazy(WebClients.class, "txnXidExchangeFilter", XidExchangeFilter.class);
        beans.eager(WebClients.class, "txnXidWebClientPostProcessor", XidWebClientPostProcessor.class);
        if (beans.arePresent(HttpServiceGroups.WEB_CLIENTS)) {
            beans.lazy(WebGroups.class, "txnWebServiceGroups", beans.type(HttpServiceGroups.WEB_CLIENTS));
        }
        if (beans.arePresent("org.springframework.boot.web.reactive.function.client.WebClientCustomizer")) {
            WebClientsOfSpringBoot3.register(beans);
        }
        if (beans.arePresent("org.springframework.boot.webclient.WebClientCustomizer")) {
            WebClientsOfSpringBoot4.register(beans);
        }
    }

    /** WebClient. */
    static final class WebClients {

        private WebClients() {}

        static Carrier txnWebClientCarrier() {
            return new Carrier(
                    "WebClient", Carrier.Way.OUT, "builder beans, and what Spring Boot's builder builds", "cancelling");
        }

        static XidExchangeFilter txnXidExchangeFilter(ReactiveContexts txnReactiveContexts, Outgoing txnOutgoing) {
            return new XidExchangeFilter(txnReactiveContexts, txnOutgoing);
        }

        static XidWebClientPostProcessor txnXidWebClientPostProcessor(
                ObjectProvider<XidExchangeFilter> txnXidExchangeFilter) {
            return new XidWebClientPostProcessor(new Provided<>(txnXidExchangeFilter));
        }
    }

    /** Groups of HTTP interfaces over WebClient, of Spring 7. */
    static final class WebGroups {

        private WebGroups() {}

        static Object txnWebServiceGroups(
                ConfigurableBeanFactory beanFactory, ObjectProvider<XidExchangeFilter> txnXidExchangeFilter) {
            Class<?> type =
                    ClassUtils.resolveClassName(HttpServiceGroups.WEB_CLIENTS, beanFactory.getBeanClassLoader());
            return HttpServiceGroups.configurer(
                    type,
                    WebClient.Builder.class,
                    builder -> builder.filters(
                            filters -> txnXidExchangeFilter.getObject().addTo(filters)));
        }
    }

    /** Where Spring Boot 3 has its customizer. */
    static final class WebClientsOfSpringBoot3 {

        private WebClientsOfSpringBoot3() {}

        static void register(BeanRegistrations beans) {
            beans.lazy(
                    WebClientsOfSpringBoot3.class,
                    "txnWebClientCustomizer",
                    org.springframework.boot.web.reactive.function.client.WebClientCustomizer.class);
        }

        static org.springframework.boot.web.reactive.function.client.WebClientCustomizer txnWebClientCustomizer(
                XidExchangeFilter txnXidExchangeFilter) {
            return builder -> builder.filters(txnXidExchangeFilter::addTo);
        }
    }

    /** Where Spring Boot 4 has its customizer. */
    static final class WebClientsOfSpringBoot4 {

        private WebClientsOfSpringBoot4() {}

        static void register(BeanRegistrations beans) {
            beans.lazy(
                    WebClientsOfSpringBoot4.class,
                    "txnWebClientCustomizer4",
                    org.springframework.boot.webclient.WebClientCustomizer.class);
        }

        static org.springframework.boot.webclient.WebClientCustomizer txnWebClientCustomizer4(
                XidExchangeFilter txnXidExchangeFilter) {
            return builder -> builder.filters(txnXidExchangeFilter::addTo);
        }
    }

    private static void servlet(BeanRegistrations beans) {
        if (!beans.arePresent("jakarta.servlet.Filter", "org.springframework.web.filter.OncePerRequestFilter")) {
            return;
        }
        beans.lazy(Servlets.class, "txnServletCarrier", Carrier.class);
        if (!beans.has("txnXidFilter")) {
            beans.add(
                    Servlets.class,
                    "txnXidFilter",
                    ResolvableType.forClassWithGenerics(FilterRegistrationBean.class, XidFilter.class));
        }
        if (beans.arePresent("org.glassfish.jersey.server.ResourceConfig")) {
            beans.eager(Jersey.class, "txnJerseyExceptions", JerseyExceptions.class);
        }
        if (beans.arePresent("org.springframework.web.servlet.HandlerExceptionResolver")) {
            beans.eager(Mvc.class, "txnEntryExceptions", EntryExceptions.class);
        }
    }

    /** Servlet requests. */
    static final class Servlets {

        private Servlets() {}

        static Carrier txnServletCarrier() {
            return new Carrier("Servlet requests", Carrier.Way.IN, "every request", "");
        }

        static FilterRegistrationBean<XidFilter> txnXidFilter(
                ContextCarrier txnContextCarrier, ObjectProvider<Incoming> txnIncoming) {
            FilterRegistrationBean<XidFilter> registration =
                    new FilterRegistrationBean<>(new XidFilter(txnContextCarrier, new Provided<>(txnIncoming)));
            registration.setName("txnXidFilter");
            // Early, so that whatever works in the request works in the transaction; after the filter that sets the
            // encoding.
            registration.setOrder(Ordered.HIGHEST_PRECEDENCE + 100);
            return registration;
        }
    }

    /** Jersey. */
    static final class Jersey {

        private Jersey() {}

        static JerseyExceptions txnJerseyExceptions(ObjectProvider<Incoming> txnIncoming) {
            return new JerseyExceptions(new Provided<>(txnIncoming));
        }
    }

    /** Spring MVC. */
    static final class Mvc {

        private Mvc() {}

        static EntryExceptions txnEntryExceptions(
                ContextCarrier txnContextCarrier, ObjectProvider<Incoming> txnIncoming) {
            return new EntryExceptions(txnContextCarrier, new Provided<>(txnIncoming));
        }
    }
}
