package io.txn.coordinator.app;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration;
import org.springframework.context.annotation.Import;

/** Boots the coordinator with its admin API. With no configuration it serves on loopback only, with its data in {@code ./txn-data}. */
@SpringBootConfiguration(proxyBeanMethods = false)
// The admin API knows one token and no users, so Boot must not invent one with a password. Jackson 2 is there for the
// client of Nacos only; endpoints answer by Jackson 3, and a second mapper that nobody asks would be four hundred
// classes of each start.
@EnableAutoConfiguration(
        exclude = UserDetailsServiceAutoConfiguration.class,
        excludeName = CoordinatorApplication.ENDPOINTS_BY_JACKSON_2)
@Import(CoordinatorConfiguration.class)
public final class CoordinatorApplication {

    /** By name, because the class is deprecated, for removal with all that Spring Boot has for Jackson 2. */
    static final String ENDPOINTS_BY_JACKSON_2 =
            "org.springframework.boot.actuate.autoconfigure.endpoint.jackson.Jackson2EndpointAutoConfiguration";

    /**
     * Defaults for Boot's own keys. In code and not in a file {@code application.properties}, which would collide with that of an application that
     * has this jar as a dependency.
     */
    private static final Map<String, Object> DEFAULTS = Map.ofEntries(
            Map.entry("spring.application.name", "txn-coordinator"),
            Map.entry("spring.main.banner-mode", "off"),
            Map.entry("server.port", "7091"),
            Map.entry("server.address", "127.0.0.1"),
            // People and probes use this port, not the applications: few threads, few connections, little patience.
            Map.entry("server.tomcat.threads.max", "16"),
            Map.entry("server.tomcat.threads.min-spare", "2"),
            Map.entry("server.tomcat.max-connections", "256"),
            Map.entry("server.tomcat.connection-timeout", "10s"),
            Map.entry("spring.mvc.async.request-timeout", "10s"),
            Map.entry("spring.web.resources.add-mappings", "false"),
            Map.entry("spring.lifecycle.timeout-per-shutdown-phase", "15s"),
            Map.entry("management.endpoints.web.discovery.enabled", "false"),
            // Health for everybody, the rest for whoever has the token.
            Map.entry("management.endpoints.web.exposure.include", "health,metrics,prometheus"),
            Map.entry("management.endpoint.health.probes.enabled", "true"),
            Map.entry("management.endpoint.health.group.readiness.include", "readinessState,coordinator"),
            Map.entry("management.endpoint.health.show-details", "when-authorized"),
            // What happens with the registry is told by Registration, once per change.
            Map.entry("logging.level.com.alibaba.nacos", "off"));

    private CoordinatorApplication() {}

    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals(JournalCommand.NAME)) {
            int status = new JournalCommand(System.out, InstantSource.system(), new SecureRandom())
                    .run(Arrays.copyOfRange(args, 1, args.length));
            System.out.flush();
            System.exit(status);
        }
        application().run(args);
    }

    /** The application, not started yet, for those who boot it from code. */
    public static SpringApplication application() {
        SpringApplication application = new SpringApplication(CoordinatorApplication.class);
        application.setDefaultProperties(DEFAULTS);
        return application;
    }
}
