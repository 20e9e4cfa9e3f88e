package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.mockito.Mockito.RETURNS_DEEP_STUBS;
import static org.mockito.Mockito.RETURNS_DEFAULTS;
import static org.mockito.Mockito.mock;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.alibaba.nacos.api.naming.NamingService;
import feign.RequestInterceptor;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Isolation;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.NacosLocator;
import io.txn.client.discovery.NacosSettings;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.rm.ResourceManager;
import io.txn.client.rpc.Credentials;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactionalAspect;
import io.txn.spring.GlobalTransactionalOptions;
import io.txn.spring.propagation.Alarm;
import io.txn.spring.propagation.Outgoing;
import io.txn.spring.propagation.Trust;
import io.txn.spring.propagation.XidClientPostProcessor;
import io.txn.spring.propagation.XidExchangeFilter;
import io.txn.spring.propagation.XidFeignInterceptor;
import io.txn.spring.propagation.XidFilter;
import io.txn.spring.propagation.XidRequestInterceptor;
import io.txn.test.ConfigurationDoc;
import io.txn.test.GeneratedDoc;
import io.txn.test.Ports;
import jakarta.servlet.Filter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.mockito.stubbing.Answer;
import org.slf4j.LoggerFactory;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.GenericBeanDefinition;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestClientAutoConfiguration;
import org.springframework.boot.autoconfigure.web.client.RestTemplateAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.client.RestClientCustomizer;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.client.RestTemplateCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.context.event.EventListener;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

/** Each condition: on, off, the user's own bean, a missing class. Nothing listens where these clients look. */
class TxnAutoConfigurationTest {

    private static final AutoConfigurations ALL = AutoConfigurations.of(
            TxnAutoConfiguration.class,
            TxnDataSourceAutoConfiguration.class,
            TxnPropagationAutoConfiguration.class,
            TxnReactiveAutoConfiguration.class,
            TxnGrpcAutoConfiguration.class,
            TxnDubboAutoConfiguration.class);

    private final int nobody = Ports.free();

    private final ApplicationContextRunner bare = new ApplicationContextRunner().withConfiguration(ALL);
    private final ApplicationContextRunner runner =
            bare.withPropertyValues("txn.coordinator.address=127.0.0.1:" + nobody, "txn.client.fail-fast=false");

    /** Looking for listeners links every bean's class, also of those that are not made, and loads what its methods speak of: of these it is known that none listens so. */
    @Test
    void noBeanIsTakenApartForMethodsThatListenAndNoneHasAny() {
        runner.withConfiguration(
                        AutoConfigurations.of(TxnModesAutoConfiguration.class, TxnDoctorAutoConfiguration.class))
                .run(context -> {
                    ConfigurableListableBeanFactory beans = context.getBeanFactory();
                    List<String> registered = Stream.of(beans.getBeanDefinitionNames())
                            .filter(name -> beans.getBeanDefinition(name).getFactoryMethodName() != null)
                            .filter(name -> String.valueOf(
                                            beans.getBeanDefinition(name).getBeanClassName())
                                    .startsWith(BeanRegistrations.class.getPackageName() + '.'))
                            .toList();
                    assertThat(registered).contains("txnClient", "txnFenceTemplate", "txnSagas", "txnDoctor");
                    assertThat(registered).allSatisfy(name -> {
                        assertThat(AutoProxyUtils.determineTargetClass(beans, name))
                                .isEqualTo(Object.class);
                        assertThat(ReflectionUtils.getAllDeclaredMethods(Objects.requireNonNull(beans.getType(name))))
                                .noneMatch(method -> AnnotatedElementUtils.hasAnnotation(method, EventListener.class));
                    });
                });
    }

    /** No bean is looked through for methods that might end it. */
    @Test
    void whatCanBeClosedSaysSo() {
        runner.withConfiguration(
                        AutoConfigurations.of(TxnModesAutoConfiguration.class, TxnDoctorAutoConfiguration.class))
                .run(context -> {
                    List<Object> closing = Stream.of(context.getBeanDefinitionNames())
                            .filter(name -> name.startsWith("txn"))
                            .map(context::getBean)
                            .filter(bean -> ClassUtils.hasMethod(bean.getClass(), "close")
                                    || ClassUtils.hasMethod(bean.getClass(), "shutdown"))
                            .toList();
                    assertThat(closing)
                            .hasAtLeastOneElementOfType(TxnClient.class)
                            .allMatch(bean -> bean instanceof AutoCloseable || bean instanceof DisposableBean);
                });
    }

    @Test
    void noAdvisorIsMadeInVain() {
        Logger advisors = (Logger) LoggerFactory.getLogger("org.springframework.aop.framework.autoproxy");
        Level before = advisors.getLevel();
        advisors.setLevel(Level.TRACE);
        try (LogLines log = LogLines.of(advisors.getName())) {
            runner.withConfiguration(AutoConfigurations.of(TxnModesAutoConfiguration.class))
                    .run(context -> assertThat(context).hasNotFailed());
            assertThat(log.from(Level.TRACE))
                    .noneMatch(line -> line.contains("with dependency on currently created bean"));
        } finally {
            advisors.setLevel(before);
        }
    }

    @Test
    void anAddressIsAllItTakes() {
        runner.run(context -> {
            assertThat(context)
                    .hasNotFailed()
                    .hasSingleBean(TxnClient.class)
                    .hasSingleBean(ContextCarrier.class)
                    .hasSingleBean(ResourceManager.class)
                    .hasSingleBean(GlobalTransactionTemplate.class)
                    .hasSingleBean(GlobalTransactionalAspect.class)
                    .hasSingleBean(GlobalTransactionalOptions.class)
                    .hasSingleBean(XidRequestInterceptor.class)
                    .hasSingleBean(XidFeignInterceptor.class)
                    .hasSingleBean(RestTemplateCustomizer.class)
                    .hasSingleBean(RestClientCustomizer.class)
                    .hasSingleBean(DataSourceWrapper.class);
            assertThat(context.getBean(CoordinatorLocator.class)).isInstanceOf(AddressListLocator.class);
            assertThat(context.getBean(TxnClient.class).contexts()).isSameAs(context.getBean(ContextCarrier.class));
            assertThat(context.getBean(TxnClient.class).connected()).isFalse();
        });
    }

    @Test
    void addressesMayBeAListOfEitherForm() {
        bare.withPropertyValues(
                        "txn.client.fail-fast=false",
                        "txn.coordinator.address[0]=127.0.0.1:" + nobody,
                        "txn.coordinator.address[1]=[::1]:" + nobody)
                .run(context -> assertThat(
                                context.getBean(CoordinatorLocator.class).current())
                        .containsExactly(new HostPort("127.0.0.1", nobody), new HostPort("::1", nobody)));
        bare.withPropertyValues(
                        "txn.client.fail-fast=false",
                        "txn.coordinator.address=127.0.0.1:" + nobody + ", coordinator.invalid:" + nobody)
                .run(context -> assertThat(
                                context.getBean(CoordinatorLocator.class).current())
                        .containsExactly(
                                new HostPort("127.0.0.1", nobody), new HostPort("coordinator.invalid", nobody)));
    }

    /** Which class it is, is said later. */
    @Test
    void aBeanWhoseClassIsAPlaceholderIsNoneOfOurs() {
        runner.withInitializer(context -> {
                    BeanDefinitionRegistry registry = (BeanDefinitionRegistry) context;
                    GenericBeanDefinition placeholder = new GenericBeanDefinition();
                    placeholder.setBeanClassName("${demo.class}");
                    registry.registerBeanDefinition("placeholder", placeholder);
                    GenericBeanDefinition template = new GenericBeanDefinition();
                    template.setAbstract(true);
                    template.setBeanClassName(ContextCarrier.class.getName());
                    registry.registerBeanDefinition("template", template);
                })
                .withConfiguration(AutoConfigurations.of(PropertyPlaceholderAutoConfiguration.class))
                .withPropertyValues("demo.class=java.util.ArrayList")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(ContextCarrier.class)
                        .hasSingleBean(TxnClient.class));
    }

    @Test
    void keysOfAPlaceholderConfigurersOwnAreBound() {
        Properties own = new Properties();
        own.setProperty("txn.jdbc.mode", "XA");
        runner.withBean(PropertySourcesPlaceholderConfigurer.class, () -> {
                    PropertySourcesPlaceholderConfigurer configurer = new PropertySourcesPlaceholderConfigurer();
                    configurer.setProperties(own);
                    return configurer;
                })
                .run(context -> {
                    assertThat(context.getBean(JdbcProperties.class).mode()).hasToString("XA");
                    assertThat(context.getBean(XaProperties.class)).isEqualTo(XaProperties.defaults());
                });
    }

    @Test
    void keysThatAreAddedBeforeBeansAreMadeAreBound() {
        runner.withBean(
                        "late",
                        BeanFactoryPostProcessor.class,
                        () -> factory -> factory.getBean(ConfigurableEnvironment.class)
                                .getPropertySources()
                                .addLast(new MapPropertySource("late", Map.of("txn.jdbc.mode", "XA"))))
                .run(context ->
                        assertThat(context.getBean(JdbcProperties.class).mode()).hasToString("XA"));
    }

    /** What brings work ends first, the client then, and what branches are finished with last. */
    @Test
    void theClientEndsBehindWhatBringsWorkAndBeforeThePools() {
        List<String> ends = new CopyOnWriteArrayList<>();
        AddressListLocator address = AddressListLocator.of(List.of("127.0.0.1:" + nobody));
        CoordinatorLocator locator = new CoordinatorLocator() {
            @Override
            public List<HostPort> current() {
                return address.current();
            }

            @Override
            public void onChange(Consumer<List<HostPort>> listener) {}

            @Override
            public String description() {
                return address.description();
            }

            @Override
            public void close() {
                ends.add("client"); // which closes its locator last
            }
        };
        SmartLifecycle listener = new SmartLifecycle() {
            private volatile boolean running;

            @Override
            public void start() {
                running = true;
            }

            @Override
            public void stop() {
                running = false;
                ends.add("listener");
            }

            @Override
            public boolean isRunning() {
                return running;
            }

            @Override
            public int getPhase() {
                return 0;
            }
        };
        AutoCloseable pool = () -> ends.add("pool");
        bare.withPropertyValues("txn.client.fail-fast=false")
                .withBean("pool", AutoCloseable.class, () -> pool)
                .withBean("listener", SmartLifecycle.class, () -> listener)
                .withBean("locator", CoordinatorLocator.class, () -> locator)
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(ends.stream().distinct()).containsExactly("listener", "client", "pool");
    }

    @Test
    void switchedOffThereIsNothing() {
        runner.withPropertyValues("txn.enabled=false").run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(List.of(context.getBeanDefinitionNames()))
                    .noneMatch(name -> name.startsWith("txn") || name.contains("io.txn"));
        });
        new WebApplicationContextRunner()
                .withConfiguration(ALL)
                .withPropertyValues("txn.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(FilterRegistrationBean.class));
    }

    @Test
    void partsCanBeSwitchedOff() {
        runner.withPropertyValues("txn.jdbc.enabled=false").run(context -> assertThat(context)
                .hasSingleBean(TxnClient.class)
                .doesNotHaveBean(DataSourceWrapper.class)
                .doesNotHaveBean(AtDataSources.class));
        runner.withPropertyValues("txn.propagation.outgoing=false").run(context -> assertThat(context)
                .hasSingleBean(TxnClient.class)
                .doesNotHaveBean(XidRequestInterceptor.class)
                .doesNotHaveBean(RestTemplateCustomizer.class)
                .doesNotHaveBean(XidFeignInterceptor.class));
        web().run(context -> assertThat(context).hasBean("txnXidFilter"));
        web().withPropertyValues("txn.propagation.incoming=false")
                .run(context -> assertThat(context).doesNotHaveBean("txnXidFilter"));
    }

    @Test
    void theUsersOwnBeansAreTaken() {
        ContextCarrier contexts = new ContextCarrier();
        CoordinatorLocator locator = AddressListLocator.of(List.of("127.0.0.1:" + nobody));
        XidRequestInterceptor interceptor = new XidRequestInterceptor(
                new Outgoing(contexts, new Trust(null, null, InstantSource.system()), InstantSource.system()),
                new Alarm(),
                factory -> {});
        bare.withPropertyValues("txn.client.fail-fast=false")
                .withBean(ContextCarrier.class, () -> contexts)
                .withBean(CoordinatorLocator.class, () -> locator)
                .withBean(XidRequestInterceptor.class, () -> interceptor)
                .run(context -> {
                    assertThat(context.getBean(ContextCarrier.class)).isSameAs(contexts);
                    assertThat(context.getBean(CoordinatorLocator.class)).isSameAs(locator);
                    assertThat(context.getBean(XidRequestInterceptor.class)).isSameAs(interceptor);
                    assertThat(context.getBean(TxnClient.class).contexts()).isSameAs(contexts);
                });
        try (TxnClient own = TxnClient.start(TxnClientOptions.of("own").withFailFast(false), locator)) {
            runner.withBean("own", TxnClient.class, () -> own)
                    .run(context -> assertThat(context.getBean(GlobalTransactionTemplate.class))
                            .isSameAs(own.transactions()));
        }
        web().withBean("txnXidFilter", FilterRegistrationBean.class, () -> {
                    FilterRegistrationBean<Filter> own = new FilterRegistrationBean<>(mock(Filter.class));
                    own.setEnabled(false);
                    return own;
                })
                .run(context -> assertThat(
                                context.getBean(FilterRegistrationBean.class).getFilter())
                        .isNotInstanceOf(XidFilter.class));
    }

    @Test
    void customizersAreAskedBeforeTheClientStarts() {
        runner.withBean(TxnClientOptionsCustomizer.class, () -> options -> options.withConnectWait(Duration.ZERO))
                .run(context -> {
                    long began = System.nanoTime();
                    assertThat(catchThrowable(() -> context.getBean(GlobalTransactionTemplate.class)
                                    .execute(GlobalTransactionOptions.named("x"), () -> null)))
                            .isInstanceOf(TxnException.class);
                    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
                });
    }

    @Test
    void aClientIsInterceptedOnceHoweverItIsMade() {
        runner.withConfiguration(
                        AutoConfigurations.of(RestTemplateAutoConfiguration.class, RestClientAutoConfiguration.class))
                .withBean("plain", RestTemplate.class)
                .withBean("plainBuilder", RestClient.Builder.class, RestClient::builder)
                .run(context -> {
                    RestTemplate built =
                            context.getBean(RestTemplateBuilder.class).build();
                    context.getBean(XidClientPostProcessor.class).postProcessAfterInitialization(built, "built");
                    for (RestTemplate template : List.of(built, context.getBean(RestTemplate.class))) {
                        assertThat(template.getInterceptors())
                                .filteredOn(XidRequestInterceptor.class::isInstance)
                                .hasSize(1);
                    }
                    context.getBeansOfType(RestClient.Builder.class)
                            .values()
                            .forEach(builder -> builder.requestInterceptors(interceptors -> assertThat(interceptors)
                                    .filteredOn(XidRequestInterceptor.class::isInstance)
                                    .hasSize(1)));
                });
    }

    /** A client that is a bean may have been made by its own static methods, and cannot be changed any more: another one with the same settings takes its place. */
    @Test
    void aClientThatWasBuiltByHandIsInterceptedWhenItIsABean() {
        runner.withBean("restClient", RestClient.class, () -> RestClient.create("http://127.0.0.1:" + nobody))
                .withBean("webClient", WebClient.class, () -> WebClient.create("http://127.0.0.1:" + nobody))
                .run(context -> {
                    List<Object> interceptors = new ArrayList<>();
                    RestClient rest = context.getBean(RestClient.class);
                    rest.mutate().requestInterceptors(interceptors::addAll);
                    context.getBean(WebClient.class).mutate().filters(interceptors::addAll);
                    assertThat(interceptors)
                            .hasExactlyElementsOfTypes(XidRequestInterceptor.class, XidExchangeFilter.class);
                    assertThat(context.getBean(XidRequestInterceptor.class).within(rest))
                            .as("once is enough")
                            .isSameAs(rest);
                    assertThatThrownBy(() -> rest.get().retrieve().toBodilessEntity())
                            .as("its own settings stay")
                            .hasMessageContaining("127.0.0.1:" + nobody);
                    for (Answer<Object> answers : List.of(RETURNS_DEFAULTS, RETURNS_DEEP_STUBS)) {
                        RestClient madeUp = mock(RestClient.class, answers);
                        WebClient madeUpToo = mock(WebClient.class, answers);
                        assertThat(context.getBean(XidRequestInterceptor.class).within(madeUp))
                                .isSameAs(madeUp);
                        assertThat(context.getBean(XidExchangeFilter.class).within(madeUpToo))
                                .isSameAs(madeUpToo);
                    }
                });
    }

    @Test
    void whatAnApplicationPutsAroundAClientStays() {
        RestClient rest = around(RestClient.class, RestClient.create());
        WebClient web = around(WebClient.class, WebClient.create());
        runner.withBean("rest", RestClient.class, () -> rest)
                .withBean("web", WebClient.class, () -> web)
                .withBean("advisedRest", RestClient.class, RestClient::create)
                .withBean("advisedWeb", WebClient.class, WebClient::create)
                .withBean("advice", BeanPostProcessor.class, () -> new BeanPostProcessor() {
                    @Override
                    public Object postProcessAfterInitialization(Object bean, String beanName) {
                        return beanName.startsWith("advised") ? new ProxyFactory(bean).getProxy() : bean;
                    }
                })
                .run(context -> {
                    assertThat(context.getBean("rest")).isSameAs(rest);
                    assertThat(context.getBean("web")).isSameAs(web);
                    List<Object> interceptors = new ArrayList<>();
                    RestClient advised = context.getBean("advisedRest", RestClient.class);
                    advised.mutate().requestInterceptors(interceptors::addAll);
                    WebClient advisedToo = context.getBean("advisedWeb", WebClient.class);
                    advisedToo.mutate().filters(interceptors::addAll);
                    assertThat(List.of(advised, advisedToo)).allMatch(Advised.class::isInstance);
                    assertThat(interceptors)
                            .hasExactlyElementsOfTypes(XidRequestInterceptor.class, XidExchangeFilter.class);
                });
    }

    private static <T> T around(Class<T> type, T client) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> method.invoke(client, arguments)));
    }

    /** Whoever looks behind their proxies outside of a request finds none. */
    @Test
    void clientsOfARequestDoNotKeepAnApplicationFromStarting() {
        web().withUserConfiguration(ClientsOfARequest.class)
                .run(context ->
                        assertThat(context).hasNotFailed().hasBean("template").hasBean("webClient"));
    }

    @Configuration(proxyBeanMethods = false)
    static class ClientsOfARequest {

        @Bean
        @Scope(scopeName = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
        RestTemplate template() {
            return new RestTemplate();
        }

        @Bean
        @Scope(scopeName = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
        RestClient.Builder restBuilder() {
            return RestClient.builder();
        }

        @Bean
        @Scope(scopeName = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
        RestClient restClient() {
            return RestClient.create();
        }

        @Bean
        @Scope(scopeName = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
        WebClient.Builder webBuilder() {
            return WebClient.builder();
        }

        @Bean
        @Scope(scopeName = "request", proxyMode = ScopedProxyMode.TARGET_CLASS)
        WebClient webClient() {
            return WebClient.create();
        }
    }

    @Test
    void whatIsNotOnTheClassPathIsLeftOut() {
        runner.withClassLoader(new FilteredClassLoader(RestTemplate.class)).run(context -> assertThat(context)
                .hasSingleBean(TxnClient.class)
                .doesNotHaveBean(XidRequestInterceptor.class)
                .hasSingleBean(XidFeignInterceptor.class));
        runner.withClassLoader(new FilteredClassLoader(RestClientCustomizer.class))
                .run(context -> assertThat(context)
                        .hasSingleBean(XidRequestInterceptor.class)
                        .doesNotHaveBean(RestTemplateCustomizer.class));
        runner.withClassLoader(new FilteredClassLoader(RequestInterceptor.class))
                .run(context -> assertThat(context)
                        .hasSingleBean(XidRequestInterceptor.class)
                        .doesNotHaveBean("txnXidFeignInterceptor"));
        web().withClassLoader(new FilteredClassLoader(org.springframework.web.filter.OncePerRequestFilter.class))
                .run(context ->
                        assertThat(context).hasSingleBean(TxnClient.class).doesNotHaveBean("txnXidFilter"));
        runner.withClassLoader(new FilteredClassLoader(
                        TransactionSynchronizationManager.class,
                        org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource.class))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(TxnClient.class));
    }

    @Test
    void nacosIsUsedWhereItIsConfiguredAndNoAddressIs() {
        bare.withPropertyValues(
                        "txn.client.fail-fast=false",
                        "txn.nacos.server-addr=127.0.0.1:" + nobody,
                        "txn.nacos.group=TXN",
                        "txn.nacos.namespace=test",
                        "txn.nacos.password=secret")
                .run(context -> {
                    CoordinatorLocator locator = context.getBean(CoordinatorLocator.class);
                    assertThat(locator).isInstanceOf(NacosLocator.class);
                    assertThat(locator.description())
                            .contains("group TXN")
                            .contains("namespace test")
                            .contains("service " + NacosSettings.DEFAULT_SERVICE)
                            .doesNotContain("secret");
                    assertThat(Binder.get(context.getEnvironment())
                                    .bindOrCreate("txn.nacos", NacosProperties.class)
                                    .toString())
                            .doesNotContain("secret");
                });
        runner.withPropertyValues("txn.nacos.server-addr=127.0.0.1:" + nobody)
                .run(context ->
                        assertThat(context.getBean(CoordinatorLocator.class)).isInstanceOf(AddressListLocator.class));
        bare.withPropertyValues("txn.nacos.server-addr=127.0.0.1:" + nobody)
                .withClassLoader(new FilteredClassLoader(NamingService.class))
                .run(context -> assertThat(analysis(context.getStartupFailure()).getDescription())
                        .contains("txn.nacos.server-addr")
                        .contains("nacos-client is not on the class path"));
    }

    // What a failed start says

    @Test
    void noCoordinatorConfigured() {
        bare.run(context -> {
            FailureAnalysis analysis = analysis(context.getStartupFailure());
            assertThat(analysis.getDescription()).contains("TXN-CFG002: no coordinator is configured");
            assertThat(analysis.getAction())
                    .contains("txn.coordinator.address=host:port")
                    .contains("txn.enabled=false");
        });
    }

    /** The doctor, who tells of such keys else, comes when the application runs. */
    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void aMisspeltKeyIsToldWithTheFailureThatItMayBeTheReasonOf(CapturedOutput output) {
        assertThatThrownBy(() -> new SpringApplicationBuilder(Bare.class)
                        .web(WebApplicationType.NONE)
                        .run("--txn.coordinator.adress=127.0.0.1:8091"))
                .hasRootCauseInstanceOf(TxnException.class);
        assertThat(output.getAll())
                .contains("TXN-CFG002: no coordinator is configured")
                .contains("besides: TXN-CFG003 txn.coordinator.adress in ")
                .contains("did you mean txn.coordinator.address?");
    }

    /** Nothing but the starter. */
    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({TxnAutoConfiguration.class, TxnDiscoveryAutoConfiguration.class})
    static class Bare {}

    @Test
    void coordinatorUnreachable() {
        runner.withPropertyValues("txn.client.fail-fast=true", "txn.client.start-wait=300ms")
                .run(context -> {
                    FailureAnalysis analysis = analysis(context.getStartupFailure());
                    assertThat(analysis.getDescription())
                            .contains("TXN-NET001")
                            .contains("127.0.0.1:" + nobody)
                            .contains("refused");
                    assertThat(analysis.getAction())
                            .contains("Start the coordinator")
                            .contains("txn.client.fail-fast=false");
                });
    }

    @Test
    void thePortOfAWebServerIsNoCoordinatorAndNobodyWaitsForIt(@TempDir Path directory) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(directory.toString());
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        tomcat.start();
        try {
            int port = tomcat.getConnector().getLocalPort();
            bare.withPropertyValues(
                            "txn.coordinator.address=127.0.0.1:" + port,
                            "txn.client.connect-wait=1h",
                            "txn.client.start-wait=1h")
                    .run(context -> {
                        FailureAnalysis analysis = analysis(context.getStartupFailure());
                        assertThat(analysis.getDescription())
                                .contains("TXN-NET010")
                                .contains("127.0.0.1:" + port);
                        assertThat(analysis.getAction()).contains("8091").contains("HTTP");
                    });
        } finally {
            tomcat.stop();
            tomcat.destroy();
        }
    }

    @Test
    void badConfiguration() {
        bare.withPropertyValues("txn.coordinator.address=http://coordinator:8091")
                .run(context -> assertThat(analysis(context.getStartupFailure()).getDescription())
                        .contains("TXN-CFG001")
                        .contains("key: txn.coordinator.address")
                        .contains("value: http://coordinator:8091")
                        .contains("host:port"));
        runner.withPropertyValues("txn.client.branch-workers=0")
                .run(context -> assertThat(analysis(context.getStartupFailure()).getDescription())
                        .contains("key: txn.client.branch-workers")
                        .contains("value: 0"));
        runner.withBean("dataSource", DataSource.class, () -> new DriverManagerDataSource("jdbc:h2:mem:bad"))
                .withPropertyValues("txn.jdbc.undo-table=undo log")
                .run(context -> assertThat(analysis(context.getStartupFailure()).getDescription())
                        .contains("under: txn.jdbc")
                        .contains("value: undo log"));
    }

    private static FailureAnalysis analysis(Throwable failure) {
        assertThat(failure).isNotNull();
        FailureAnalysis analysis = new TxnFailureAnalyzer(null).analyze(failure);
        assertThat(analysis).as("%s", failure).isNotNull();
        return analysis;
    }

    // Properties

    @Test
    void theDefaultsAreThoseOfTheClient() {
        Binder empty = new Binder(new MapConfigurationPropertySource(Map.of()));
        assertThat(empty.bindOrCreate("txn.client", ClientProperties.class).toOptions("app"))
                .isEqualTo(TxnClientOptions.of("app"));
        assertThat(empty.bindOrCreate("txn.client", ClientProperties.class).defaultTimeout())
                .isEqualTo(GlobalTransactionOptions.named("x").timeout());
        assertThat(empty.bindOrCreate("txn.jdbc", JdbcProperties.class).toOptions())
                .isEqualTo(AtOptions.DEFAULTS);
    }

    @Test
    void everyKeyReachesItsOption() {
        Binder binder = new Binder(new MapConfigurationPropertySource(Map.ofEntries(
                Map.entry("txn.client.application-id", "shop"),
                Map.entry("txn.client.service-group", "group"),
                Map.entry("txn.client.request-timeout", "1s"),
                Map.entry("txn.client.connect-wait", "2s"),
                Map.entry("txn.client.start-wait", "8s"),
                Map.entry("txn.client.decision-wait", "3s"),
                Map.entry("txn.client.shutdown-timeout", "10m"),
                Map.entry("txn.client.fail-fast", "false"),
                Map.entry("txn.client.branch-workers", "4"),
                Map.entry("txn.client.branch-queue", "5"),
                Map.entry("txn.client.token", "a-token-of-the-test"),
                Map.entry("txn.jdbc.create-undo-table", "false"),
                Map.entry("txn.jdbc.undo-table", "undo"),
                Map.entry("txn.jdbc.lock-tries", "6"),
                Map.entry("txn.jdbc.lock-retry-interval", "7ms"),
                Map.entry("txn.jdbc.max-rows-per-statement", "8"),
                Map.entry("txn.jdbc.functions-that-only-read", "total,shop.later"),
                Map.entry("txn.jdbc.columns-left-to-triggers", "updated_at,orders.version"),
                Map.entry("txn.jdbc.isolation", "read-committed"),
                Map.entry("txn.jdbc.max-undo-size", "9KB"))));
        assertThat(binder.bind("txn.client", ClientProperties.class).get().toOptions("app"))
                .isEqualTo(TxnClientOptions.of("shop")
                        .withCredentials(Credentials.token("a-token-of-the-test"))
                        .withServiceGroup("group")
                        .withRequestTimeout(Duration.ofSeconds(1))
                        .withConnectWait(Duration.ofSeconds(2))
                        .withStartWait(Duration.ofSeconds(8))
                        .withDecisionWait(Duration.ofSeconds(3))
                        .withShutdownTimeout(Duration.ofMinutes(10))
                        .withFailFast(false)
                        .withBranchWorkers(4, 5));
        assertThat(binder.bind("txn.jdbc", JdbcProperties.class).get().toOptions())
                .isEqualTo(AtOptions.DEFAULTS
                        .withCreateUndoTable(false)
                        .withUndoTable("undo")
                        .withLockRetry(6, Duration.ofMillis(7))
                        .withBounds(8, 9 * 1024)
                        .withFunctionsThatOnlyRead(Set.of("total", "shop.later"))
                        .withColumnsLeftToTriggers(Set.of("updated_at", "orders.version"))
                        .withIsolation(Isolation.READ_COMMITTED));
    }

    @Test
    void thePageOfKeysIsTrue() {
        GeneratedDoc.of("configuration-client.md")
                .check("""
                        # Configuration of applications

                        <!-- Generated from the metadata of the properties; a test compares. -->

                        What an application with `txn-spring-boot-starter` can set. A coordinator is needed: `txn.coordinator.address`, or a
                        [registry](discovery.md), which may be the application's own; everything else has a default that works. Durations are written like `30s`,
                        `500ms` or `PT2M`.

                        """ + ConfigurationDoc.of(TxnAutoConfiguration.class).table());
    }

    @Test
    void theIndexOfAllKeysIsTrue() throws IOException {
        StringBuilder index = new StringBuilder("""
                # Configuration

                <!-- Generated from the metadata of the properties; tests compare. -->

                Every key, and the page that says what it means. A key below `txn` that is not here does nothing; the [doctor](guide.md#the-doctor) of an application tells
                it with the one that was probably meant, and a coordinator does not start with one.

                | Of applications: [configuration-client.md](configuration-client.md) |
                |---|
                """);
        ConfigurationDoc.of(TxnAutoConfiguration.class).defaults().keySet().forEach(key -> index.append("| `")
                .append(key)
                .append("` |\n"));
        index.append("\n| Of the coordinator: [configuration-coordinator.md](configuration-coordinator.md) |\n|---|\n");
        try (InputStream keys = Objects.requireNonNull(
                TxnAutoConfiguration.class.getResourceAsStream("/io/txn/spring/doctor/coordinator-keys.txt"))) {
            new String(keys.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .forEach(key -> index.append("| `").append(key).append("` |\n"));
        }
        GeneratedDoc.of("configuration.md").check(index.toString());
    }

    private WebApplicationContextRunner web() {
        return new WebApplicationContextRunner()
                .withConfiguration(ALL)
                .withPropertyValues("txn.coordinator.address=127.0.0.1:" + nobody, "txn.client.fail-fast=false");
    }
}
