package io.txn.coordinator.app;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.app.admin.AdminConfiguration;
import io.txn.coordinator.app.admin.AdminToken;
import io.txn.coordinator.app.registration.Advertised;
import io.txn.coordinator.app.registration.EtcdRegistry;
import io.txn.coordinator.app.registration.EurekaRegistry;
import io.txn.coordinator.app.registration.NacosRegistry;
import io.txn.coordinator.app.registration.Registration;
import io.txn.coordinator.app.registration.Registry;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.extension.Feature;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;

/**
 * Order of the start: what is listened on is checked before anything opens; the coordinator takes the data directory, replays and serves; only then
 * may the admin token be written, as the directory is ours; the admin API opens; the registry is told last. The end goes backwards: readiness is off and the
 * registry is told, the coordinator finishes what was begun, the admin API closes, the coordinator ends.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(CoordinatorProperties.class)
@Import(AdminConfiguration.class)
final class CoordinatorConfiguration {

    private static final Logger log = LoggerFactory.getLogger(CoordinatorApplication.class);

    @Bean
    Coordinator coordinator(
            CoordinatorProperties properties, ServerProperties server, Environment environment, SslBundles bundles) {
        TcpTls tls = TcpTls.of(properties.tcp().ssl(), bundles);
        CoordinatorOptions options = properties.toOptions().withTls(tls == null ? null : tls.tls());
        InetAddress tcp = Listening.resolve(CoordinatorProperties.PREFIX + ".tcp.host", options.host());
        Listening.check(listeners(tcp, guard(options), server, environment), properties.allowUnauthenticated());
        if (options.advertisedAddress() == null) {
            options = options.withAdvertisedAddress(
                    Listening.inferAdvertisedAddress(options.host(), tcp, options.tcpPort()));
        }
        Coordinator coordinator = Coordinator.start(options);
        if (tls != null) {
            tls.onChange(coordinator::trustChanged);
        }
        return coordinator;
    }

    private static Listening.Guard guard(CoordinatorOptions options) {
        if (!options.authenticates()) {
            return Listening.Guard.NONE;
        }
        return options.tls() != null && options.tls().required()
                ? Listening.Guard.CREDENTIALS_AND_TLS
                : Listening.Guard.CREDENTIALS;
    }

    static List<Listening.Listener> listeners(
            InetAddress tcp, Listening.Guard tcpGuard, ServerProperties server, Environment environment) {
        List<Listening.Listener> listeners = new ArrayList<>();
        listeners.add(new Listening.Listener(CoordinatorProperties.PREFIX + ".tcp.host", tcp, tcpGuard));
        listeners.add(new Listening.Listener("server.address", server.getAddress(), guard(server.getSsl())));
        // A management port of its own has an address of its own, and none means everywhere.
        if (environment.getProperty("management.server.port") != null) {
            String host = environment.getProperty("management.server.address", "");
            listeners.add(new Listening.Listener(
                    "management.server.address",
                    host.isBlank() ? null : Listening.resolve("management.server.address", host),
                    environment.containsProperty("management.server.ssl.bundle")
                                    || environment.containsProperty("management.server.ssl.key-store")
                                    || environment.containsProperty("management.server.ssl.certificate")
                            ? Listening.Guard.TOKEN_AND_TLS
                            : Listening.Guard.TOKEN));
        }
        return listeners;
    }

    private static Listening.Guard guard(@Nullable Ssl ssl) {
        return Ssl.isEnabled(ssl) ? Listening.Guard.TOKEN_AND_TLS : Listening.Guard.TOKEN;
    }

    /** After the coordinator: it holds the lock on the data directory, so two first starts cannot both write a token. */
    @Bean
    AdminToken adminToken(CoordinatorProperties properties, Coordinator coordinator) {
        return AdminToken.loadOrCreate(
                properties.dataDir().toAbsolutePath().normalize(), new SecureRandom(), System.out);
    }

    @Bean
    CoordinatorMetrics coordinatorMetrics(Coordinator coordinator) {
        return new CoordinatorMetrics(coordinator);
    }

    @Bean
    CoordinatorDrain coordinatorDrain(Coordinator coordinator, CoordinatorProperties properties) {
        return new CoordinatorDrain(coordinator, properties.shutdownTimeout());
    }

    @Bean
    HealthIndicator coordinatorHealthIndicator(Coordinator coordinator) {
        return () -> {
            if (!coordinator.healthy()) {
                return Health.down()
                        .withDetail(
                                "reason",
                                "the journal failed, a write to it hangs, or the coordinator was stopped; see its log")
                        .build();
            }
            if (coordinator.lowOnSpace()) {
                ErrorCode full = ErrorCode.JOURNAL_LOW_ON_SPACE;
                return Health.outOfService()
                        .withDetail("reason", full.id() + ": " + full.sentence())
                        .withDetail("fix", full.fix())
                        .build();
            }
            return Health.up().build();
        };
    }

    @Bean
    @Conditional(RegistryConfigured.Nacos.class)
    Registration nacosRegistration(
            CoordinatorProperties properties,
            Coordinator coordinator,
            WebServerApplicationContext web,
            ObjectProvider<BuildProperties> build) {
        return registration(
                new NacosRegistry(target(properties.nacos()), nacosDirectory(properties)),
                List.of(target(properties.nacos()).serverAddr().split(",")),
                coordinator,
                web,
                build.getIfAvailable());
    }

    /** A second instance, under the names by which Seata's clients look for their server. */
    @Bean
    @Conditional(RegistryConfigured.Nacos.class)
    @ConditionalOnProperty(CoordinatorProperties.PREFIX + ".nacos.seata.enabled")
    Registration seataRegistration(
            CoordinatorProperties properties,
            Coordinator coordinator,
            WebServerApplicationContext web,
            ObjectProvider<BuildProperties> build) {
        CoordinatorProperties.SeataNames names = properties.nacos().seata();
        NacosRegistry.Target target =
                target(properties.nacos()).withService(names.service(), names.group(), names.cluster());
        return registration(
                new NacosRegistry(target, nacosDirectory(properties)),
                List.of(target.serverAddr().split(",")),
                coordinator,
                web,
                build.getIfAvailable());
    }

    @Bean
    @Conditional(RegistryConfigured.Eureka.class)
    Registration eurekaRegistration(
            CoordinatorProperties properties,
            Coordinator coordinator,
            WebServerApplicationContext web,
            ObjectProvider<BuildProperties> build) {
        List<String> urls = properties.eureka().urls();
        return registration(
                new EurekaRegistry(urls, properties.eureka().service()),
                urls,
                coordinator,
                web,
                build.getIfAvailable());
    }

    @Bean
    @Conditional(RegistryConfigured.Etcd.class)
    Registration etcdRegistration(
            CoordinatorProperties properties,
            Coordinator coordinator,
            WebServerApplicationContext web,
            ObjectProvider<BuildProperties> build) {
        CoordinatorProperties.Etcd etcd = properties.etcd();
        return registration(
                new EtcdRegistry(etcd.endpoints(), etcd.cluster(), etcd.username(), etcd.password()),
                etcd.endpoints(),
                coordinator,
                web,
                build.getIfAvailable());
    }

    private static NacosRegistry.Target target(CoordinatorProperties.Nacos nacos) {
        return new NacosRegistry.Target(
                java.util.Objects.requireNonNull(nacos.serverAddr()),
                nacos.namespace(),
                nacos.group(),
                nacos.service(),
                nacos.cluster(),
                nacos.username(),
                nacos.password(),
                nacos.accessKey(),
                nacos.secretKey());
    }

    private static Path nacosDirectory(CoordinatorProperties properties) {
        return properties.dataDir().toAbsolutePath().normalize().resolve("nacos");
    }

    private static Registration registration(
            Registry registry,
            List<String> servers,
            Coordinator coordinator,
            WebServerApplicationContext web,
            @Nullable BuildProperties build) {
        Advertised.of(coordinator.advertisedAddress(), Map.of()).refuseLoopbackBeyond(servers);
        return new Registration(
                registry,
                () -> Advertised.of(coordinator.advertisedAddress(), metadata(coordinator, web, build)),
                coordinator::healthy,
                new SecureRandom());
    }

    private static Map<String, String> metadata(
            Coordinator coordinator, WebServerApplicationContext web, @Nullable BuildProperties build) {
        return Map.of(
                "version",
                version(build),
                "features",
                Feature.names(),
                "domain",
                coordinator.domain(),
                "txn-tcp-port",
                Integer.toString(
                        Advertised.of(coordinator.advertisedAddress(), Map.of()).port()),
                "http-port",
                Integer.toString(httpPort(web)));
    }

    private static String version(@Nullable BuildProperties build) {
        String version = build == null ? null : build.getVersion();
        return version == null ? "unknown" : version;
    }

    private static int httpPort(WebServerApplicationContext web) {
        return java.util.Objects.requireNonNull(web.getWebServer()).getPort();
    }

    @Bean
    ApplicationListener<ApplicationReadyEvent> startReport(
            CoordinatorProperties properties, Coordinator coordinator, ObjectProvider<BuildProperties> build) {
        return event -> {
            if (event.getApplicationContext() instanceof WebServerApplicationContext web) {
                log.info(
                        "Ready. version={} tcp={}:{} advertised={} http={} data={}",
                        version(build.getIfAvailable()),
                        properties.tcp().host(),
                        coordinator.tcpPort(),
                        coordinator.advertisedAddress(),
                        httpPort(web),
                        properties.dataDir().toAbsolutePath().normalize());
            }
        };
    }
}
