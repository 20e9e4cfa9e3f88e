package io.txn.test.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.LookupStep;
import io.txn.spring.discovery.DiscoveryClientLocator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.springframework.cloud.client.discovery.DiscoveryClient;

/** A real Eureka server: the coordinator registers by its REST interface, the application looks it up by its own {@code DiscoveryClient}. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EurekaIT {

    @Test
    @Order(1)
    void theCoordinatorIsFoundByWhateverDiscoveryTheApplicationHas() throws Exception {
        Servers servers = Servers.start();
        try (var application = Application.start(
                "eureka.client.service-url.defaultZone=" + servers.eurekaUrl() + "/",
                "eureka.client.register-with-eureka=false",
                "eureka.client.registry-fetch-interval-seconds=1",
                // The server beside it on the class path brings a transport that is the server's.
                "eureka.client.jersey.enabled=false",
                "spring.cloud.nacos.discovery.enabled=false")) {
            CoordinatorLocator locator = application.getBean(CoordinatorLocator.class);
            assertThat(locator).isInstanceOf(DiscoveryClientLocator.class);
            assertThat(Application.begin(application)).startsWith(servers.coordinatorAddress() + ":");
            assertThat(locator.examine())
                    .singleElement()
                    .isEqualTo(new LookupStep(LookupStep.Kind.INSTANCE, true, "1 registered there"));
            try (DiscoveryClientLocator nobody = DiscoveryClientLocator.start(
                    DiscoveryClientLocator.usable(
                            List.copyOf(application
                                    .getBeansOfType(DiscoveryClient.class)
                                    .values()),
                            false),
                    "never")) {
                assertThat(nobody.examine()).singleElement().satisfies(told -> {
                    assertThat(told.kind()).isEqualTo(LookupStep.Kind.SERVICE);
                    assertThat(told.seen()).endsWith("service never: nobody is registered there");
                });
            }
        }
        String listed = listed(servers);
        assertThat(listed).contains("txn-tcp-port", "http-port", "version", "domain", "lock-wait");
    }

    /** Last: it ends the coordinator that is there for all, and is started again for who comes after. */
    @Test
    @Order(2)
    void aCoordinatorThatStopsIsTakenOut() throws Exception {
        Servers servers = Servers.start();
        assertThat(listed(servers)).contains(servers.coordinatorAddress());
        assertThat(servers.coordinator().term(Duration.ofSeconds(30))).isTrue();
        assertThat(listed(servers)).doesNotContain(servers.coordinatorAddress());
    }

    private static String listed(Servers servers) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(servers.eurekaUrl() + "/apps"))
                                .header("Accept", "application/json")
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
