package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.nacos.api.naming.NamingService;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.EtcdLocator;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.NacosLocator;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.discovery.DiscoveryClientLocator;
import io.txn.test.Await;
import io.txn.test.Ports;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.GeneratedFiles;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.actuate.autoconfigure.context.properties.ConfigurationPropertiesReportEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.env.EnvironmentEndpointAutoConfiguration;
import org.springframework.boot.actuate.context.properties.ConfigurationPropertiesReportEndpoint;
import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.env.EnvironmentEndpoint;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.client.DefaultServiceInstance;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.discovery.composite.CompositeDiscoveryClientAutoConfiguration;
import org.springframework.cloud.client.discovery.simple.SimpleDiscoveryClientAutoConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.javapoet.ClassName;
import org.springframework.test.context.DynamicPropertyRegistrar;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

/** Which registry is asked, and with which settings. Nobody listens at any of these addresses. */
class DiscoveryChoiceTest {

    private final String nobody = "127.0.0.1:" + Ports.freeWith(1000);

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(TxnAutoConfiguration.class, TxnDiscoveryAutoConfiguration.class))
            .withPropertyValues("txn.client.fail-fast=false");

    private void finds(Class<? extends CoordinatorLocator> type, String description, String... properties) {
        runner.withPropertyValues(properties).run(context -> {
            assertThat(context).hasNotFailed();
            CoordinatorLocator locator = context.getBean(CoordinatorLocator.class);
            assertThat(locator).as(Arrays.toString(properties)).isInstanceOf(type);
            assertThat(locator.description()).contains(description);
        });
    }

    @Test
    void theApplicationsOwnNacosIsAllItTakes() {
        finds(NacosLocator.class, "Nacos " + nobody, "spring.cloud.nacos.discovery.server-addr=" + nobody);
        finds(NacosLocator.class, "Nacos " + nobody, "spring.cloud.nacos.server-addr=" + nobody);
        finds(NacosLocator.class, "Nacos " + nobody, "spring.nacos.discovery.serverAddr=" + nobody);
        finds(NacosLocator.class, "Nacos " + nobody, "spring.nacos.server-addr=" + nobody);
        finds(NacosLocator.class, "Nacos " + nobody, "nacos.discovery.server-addr=" + nobody);
        finds(NacosLocator.class, "servers named by acm.example.org", "spring.cloud.nacos.endpoint=acm.example.org");
    }

    @Test
    void eachKeyIsReadUnderTheNearerPrefixFirstAndTheGroupIsNotInherited() {
        String[] application = {
            "spring.cloud.nacos.server-addr=far:8848",
            "spring.cloud.nacos.username=ann",
            "spring.cloud.nacos.password=secret",
            "spring.cloud.nacos.namespace=far",
            "spring.cloud.nacos.discovery.server-addr=" + nobody,
            "spring.cloud.nacos.discovery.namespace=near",
            "spring.cloud.nacos.discovery.group=ORDERS",
            "spring.cloud.nacos.discovery.cluster-name=blue",
            "spring.nacos.server-addr=other:8848",
            "spring.nacos.username=bob"
        };
        finds(
                NacosLocator.class,
                "Nacos " + nobody + ", service txn-coordinator, group DEFAULT_GROUP, namespace near, user ann",
                application);
        String[] overridden = Arrays.copyOf(application, application.length + 4);
        overridden[application.length] = "txn.nacos.namespace=ours";
        overridden[application.length + 1] = "txn.nacos.group=TXN";
        overridden[application.length + 2] = "txn.nacos.service=tc";
        overridden[application.length + 3] = "txn.nacos.cluster=green";
        finds(
                NacosLocator.class,
                "Nacos " + nobody + ", service tc, group TXN, namespace ours, cluster green, user ann",
                overridden);
    }

    /** As of {@code ${A:},${B:}}, in one line or in several. */
    @Test
    void aListOfNothingIsNoWishToLookElsewhere() {
        String own = "spring.cloud.nacos.server-addr=" + nobody;
        for (String line : List.of("txn.coordinator.address=,", "txn.coordinator.address=${A:} , ${B:}")) {
            runner.withPropertyValues(line, own).run(context -> assertThat(context)
                    .as(line)
                    .getFailure()
                    .rootCause()
                    .hasMessageContaining("TXN-CFG002"));
        }
        runner.withPropertyValues("txn.etcd.endpoints=,", own)
                .run(context ->
                        assertThat(context).getFailure().rootCause().hasMessageContaining("txn.etcd.endpoints"));
        finds(NacosLocator.class, "Nacos", own, "txn.coordinator.address[0]=${A:}", "txn.etcd.endpoints=${B:}");
    }

    /** There, a class that nobody has named is not present. */
    @Test
    void aNativeImageIsToldWhetherThereIsAClientOfNacos() {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.register(TxnAutoConfiguration.class, TxnDiscoveryAutoConfiguration.class);
            InMemoryGeneratedFiles files = new InMemoryGeneratedFiles();
            DefaultGenerationContext generation = new DefaultGenerationContext(
                    new ClassNameGenerator(ClassName.get(DiscoveryChoiceTest.class)), files);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
            generation.writeGeneratedContent();
            assertThat(files.getGeneratedFiles(GeneratedFiles.Kind.SOURCE).keySet())
                    .filteredOn(path -> path.endsWith("DiscoveryBeans__BeanDefinitions.java"))
                    .singleElement()
                    .satisfies(path -> assertThat(files.getGeneratedFileContent(GeneratedFiles.Kind.SOURCE, path))
                            .contains("addIndexedArgumentValue(0, true)", "addIndexedArgumentValue(1, false)"));
        }
    }

    /** Its user and password are for its own registry. */
    @Test
    void ofANacosThatIsNamedForCoordinatorsNothingIsInherited() {
        finds(
                NacosLocator.class,
                "Nacos " + nobody + ", service txn-coordinator, group DEFAULT_GROUP (",
                "txn.nacos.server-addr=" + nobody,
                "spring.cloud.nacos.server-addr=other:8848",
                "spring.cloud.nacos.namespace=ns",
                "spring.cloud.nacos.username=ann");
    }

    @Test
    void whatIsExplicitGoesBeforeWhatIsInherited() {
        String address = "txn.coordinator.address=" + nobody;
        String nacos = "txn.nacos.server-addr=" + nobody;
        String etcd = "txn.etcd.endpoints=http://" + nobody;
        String own = "spring.cloud.nacos.server-addr=" + nobody;
        finds(AddressListLocator.class, "addresses", address, nacos, etcd, own);
        finds(NacosLocator.class, "Nacos", nacos, etcd, own);
        finds(EtcdLocator.class, "etcd http://" + nobody + ", cluster default", etcd, own);
        finds(AddressListLocator.class, "addresses", address, "txn.nacos.server-addr=", "txn.etcd.endpoints=");
        finds(NacosLocator.class, "Nacos", own, "txn.coordinator.address=", "txn.nacos.server-addr=");
    }

    @Test
    void aNacosThatTheApplicationDoesNotUseIsNotAsked() {
        for (String off : new String[] {
            "spring.cloud.nacos.discovery.enabled=false",
            "spring.cloud.discovery.enabled=false",
            "txn.embedded.enabled=true"
        }) {
            runner.withPropertyValues("spring.cloud.nacos.server-addr=" + nobody, off)
                    .run(context -> assertThat(context)
                            .getFailure()
                            .rootCause()
                            .isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                                    .isEqualTo(ErrorCode.COORDINATOR_NOT_CONFIGURED)));
        }
        runner.withPropertyValues("spring.cloud.nacos.server-addr=" + nobody)
                .withClassLoader(new FilteredClassLoader(NamingService.class))
                .run(context -> assertThat(context).hasFailed());
    }

    /** Else an application would look for its coordinator where nobody told it to, and could find that of another environment. */
    @Test
    void aNacosThatIsNamedAndCannotBeAskedStopsTheStartWhateverElseThereIs() {
        for (String key : List.of("txn.nacos.server-addr", "txn.nacos.endpoint")) {
            runner.withConfiguration(AutoConfigurations.of(
                            UtilAutoConfiguration.class,
                            SimpleDiscoveryClientAutoConfiguration.class,
                            CompositeDiscoveryClientAutoConfiguration.class))
                    .withPropertyValues(
                            key + "=" + nobody,
                            "txn.etcd.endpoints=http://" + nobody,
                            "spring.cloud.discovery.client.simple.instances.txn-coordinator[0].uri=http://one.invalid:7091")
                    .withClassLoader(new FilteredClassLoader(NamingService.class))
                    .run(context -> assertThat(context)
                            .getFailure()
                            .rootCause()
                            .hasMessageContaining(key)
                            .hasMessageContaining("nacos-client is not on the class path; add it"));
        }
    }

    /** As of a library of which a part is missing, which shows when that part is first needed. */
    @Test
    void aClassThatIsMissingDoesNotEndTheLooks() {
        AtomicInteger asked = new AtomicInteger();
        DiscoveryClient client = new DiscoveryClient() {
            @Override
            public String description() {
                return "one that breaks";
            }

            @Override
            public List<ServiceInstance> getInstances(String service) {
                if (asked.incrementAndGet() <= 2) {
                    throw new NoClassDefFoundError("com/example/Part");
                }
                return List.of(new DefaultServiceInstance("1", service, "one.invalid", 8091, false));
            }

            @Override
            public List<String> getServices() {
                return List.of();
            }
        };
        try (DiscoveryClientLocator locator = DiscoveryClientLocator.start(List.of(client), "txn-coordinator")) {
            assertThat(locator.description()).contains("com/example/Part");
            Await.untilPasses("asked again", Duration.ofSeconds(20), () -> assertThat(locator.current())
                    .containsExactly(new HostPort("one.invalid", 8091)));
        }
    }

    @Test
    void instancesThatTheConfigurationListsAreFoundByTheirMetadataPort() {
        ApplicationContextRunner cloud = runner.withConfiguration(AutoConfigurations.of(
                UtilAutoConfiguration.class,
                SimpleDiscoveryClientAutoConfiguration.class,
                CompositeDiscoveryClientAutoConfiguration.class));
        cloud.withPropertyValues(
                        "spring.cloud.discovery.client.simple.instances.txn-coordinator[0].uri=http://one.invalid:7091",
                        "spring.cloud.discovery.client.simple.instances.txn-coordinator[0].metadata.txn-tcp-port=8091",
                        "spring.cloud.discovery.client.simple.instances.txn-coordinator[1].uri=http://two.invalid:8092")
                .run(context -> {
                    CoordinatorLocator locator = context.getBean(CoordinatorLocator.class);
                    assertThat(locator).isInstanceOf(DiscoveryClientLocator.class);
                    Await.untilPasses("asked", Duration.ofSeconds(20), () -> assertThat(locator.current())
                            .containsExactly(new HostPort("one.invalid", 8091), new HostPort("two.invalid", 8092)));
                });
        cloud.run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining("TXN-CFG002"));
    }

    /** As a container of a test says where it listens, once it runs. */
    @Test
    void keysThatAreAddedBeforeBeansAreMadeCount() {
        for (Map.Entry<String, Class<? extends CoordinatorLocator>> key : Map.of(
                        "txn.coordinator.address", AddressListLocator.class,
                        "txn.nacos.server-addr", NacosLocator.class,
                        "txn.etcd.endpoints[0]", EtcdLocator.class)
                .entrySet()) {
            String value = (key.getKey().startsWith("txn.etcd") ? "http://" : "") + nobody;
            for (String other :
                    List.of("txn.client.application-id=shop", "spring.cloud.nacos.server-addr=other:8848")) {
                runner.withPropertyValues(other)
                        .withBean(
                                "late",
                                BeanFactoryPostProcessor.class,
                                () -> factory -> factory.getBean(ConfigurableEnvironment.class)
                                        .getPropertySources()
                                        .addLast(new MapPropertySource("late", Map.of(key.getKey(), value))))
                        .run(context -> {
                            assertThat(context).as(key + " beside " + other).hasNotFailed();
                            CoordinatorLocator locator = context.getBean(CoordinatorLocator.class);
                            assertThat(locator).isInstanceOf(key.getValue());
                            assertThat(locator.description()).contains(nobody);
                        });
            }
        }
    }

    @Test
    void keysOfAPlaceholderConfigurersOwnCount() {
        Properties own = new Properties();
        own.setProperty("txn.nacos.server-addr", nobody);
        runner.withBean(PropertySourcesPlaceholderConfigurer.class, () -> {
                    PropertySourcesPlaceholderConfigurer configurer = new PropertySourcesPlaceholderConfigurer();
                    configurer.setProperties(own);
                    return configurer;
                })
                .run(context ->
                        assertThat(context.getBean(CoordinatorLocator.class)).isInstanceOf(NacosLocator.class));
    }

    /** With Spring's own tests, which add such keys in two ways. */
    @Nested
    @SpringJUnitConfig
    @TestPropertySource(properties = "txn.client.fail-fast=false")
    class OfATest {

        @Configuration(proxyBeanMethods = false)
        @ImportAutoConfiguration({TxnAutoConfiguration.class, TxnDiscoveryAutoConfiguration.class})
        static class Application {

            @Bean
            DynamicPropertyRegistrar whereItListens() {
                return registry -> registry.add("txn.coordinator.address", () -> "container.invalid:8091");
            }
        }

        @DynamicPropertySource
        static void whereANacosListens(DynamicPropertyRegistry registry) {
            registry.add("txn.nacos.server-addr", () -> "nacos.invalid:8848");
        }

        @Test
        void keysOfItsRegistrarsCount(@Autowired CoordinatorLocator locator, @Autowired NacosProperties nacos) {
            assertThat(locator.current()).containsExactly(new HostPort("container.invalid", 8091));
            assertThat(nacos.serverAddr()).isEqualTo("nacos.invalid:8848");
        }
    }

    /** Also where values are shown. */
    @Test
    void theActuatorShowsTheKeysOfEveryRegistryAndNoSecret() {
        runner.withConfiguration(AutoConfigurations.of(
                        TxnDoctorAutoConfiguration.class,
                        TxnPropagationAutoConfiguration.class,
                        ConfigurationPropertiesReportEndpointAutoConfiguration.class,
                        EnvironmentEndpointAutoConfiguration.class))
                .withPropertyValues(
                        "management.endpoints.web.exposure.include=configprops,env",
                        "management.endpoint.configprops.show-values=always",
                        "management.endpoint.env.show-values=always",
                        "txn.coordinator.address=" + nobody,
                        "txn.nacos.group=TXN",
                        "txn.nacos.username=ann",
                        "txn.nacos.password=s3cret-1",
                        "txn.nacos.access-key=s3cret-2",
                        "txn.nacos.secretKey=s3cret-3",
                        "txn.etcd.cluster=blue",
                        "txn.etcd.password=s3cret-4",
                        "txn.discovery.service-id=tc",
                        "txn.client.token=s3cret-5-of-sixteen-characters",
                        "txn.propagation.key=s3cret-8-of-sixteen-characters",
                        "txn.coordinator.clients[0].token[1]=s3cret-9",
                        "txn.nacos.secret_key=s3cret-10",
                        "txn.nacos.access_key=s3cret-11")
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addLast(new SystemEnvironmentPropertySource(
                                "test-" + StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                Map.of(
                                        "TXN_NACOS_SECRET_KEY", "s3cret-12",
                                        "TXN_NACOS_SECRETKEY", "s3cret-13",
                                        "TXN_NACOS_ACCESS_KEY", "s3cret-14",
                                        "TXN_COORDINATOR_CLIENTS_0_TOKEN_1", "s3cret-15",
                                        "TXN_PROPAGATION_KEY", "s3cret-16",
                                        "TXN_ETCD_CLUSTER", "green"))))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    ConfigurationPropertiesReportEndpoint shown =
                            context.getBean(ConfigurationPropertiesReportEndpoint.class);
                    Map<String, Map<String, Object>> byPrefix = new TreeMap<>();
                    Map<String, Map<String, Object>> inputs = new TreeMap<>();
                    shown.configurationProperties().getContexts().values().forEach(all -> all.getBeans()
                            .values()
                            .forEach(bean -> {
                                byPrefix.put(bean.getPrefix(), bean.getProperties());
                                inputs.put(bean.getPrefix(), bean.getInputs());
                            }));
                    assertThat(byPrefix.get("txn.coordinator")).containsEntry("address", List.of(nobody));
                    assertThat(byPrefix.get("txn.nacos"))
                            .containsEntry("group", "TXN")
                            .containsEntry("service", "txn-coordinator")
                            .containsEntry("username", "ann")
                            .containsEntry("password", SanitizableData.SANITIZED_VALUE);
                    assertThat(byPrefix.get("txn.etcd")).containsEntry("cluster", "blue");
                    assertThat(byPrefix.get("txn.discovery")).containsEntry("serviceId", "tc");
                    assertThat(byPrefix).containsKeys("txn.client", "txn.propagation");
                    assertThat(byPrefix.toString()).doesNotContain("s3cret");
                    assertThat(inputs.toString()).contains("ann").doesNotContain("s3cret");
                    assertThat(context.getBean(EnvironmentEndpoint.class)
                                    .environment("(?i)txn.*")
                                    .getPropertySources())
                            .flatExtracting(source -> source.getProperties().values())
                            .extracting(value -> String.valueOf(value.getValue()))
                            .contains("ann", "blue", "green")
                            .noneMatch(value -> value.contains("s3cret"));
                });
    }
}
