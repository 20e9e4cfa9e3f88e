package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.doctor.Doctor;
import io.txn.test.Await;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/**
 * A servlet application with a pool, actuator, OpenFeign, executors and a real coordinator: from its start over a committed and a rolled back transaction to its end nobody says anything at WARN or above, and
 * what it tells about itself is right.
 */
class HealthyStartIT {

    @TempDir
    Path directory;

    @FeignClient(name = "stock", url = "http://127.0.0.1:1")
    interface Stock {
        @GetMapping("/stock")
        String stock();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableFeignClients(clients = Stock.class)
    @EnableAsync
    static class Application {

        @Bean
        Orders orders(JdbcTemplate database) {
            return new Orders(database);
        }

        @Bean
        RestClient client(RestClient.Builder builder) {
            return builder.build();
        }

        @Bean
        Door door(Orders orders) {
            return new Door(orders);
        }
    }

    static class Orders {
        private final JdbcTemplate database;

        Orders(JdbcTemplate database) {
            this.database = database;
        }

        @GlobalTransactional
        @Transactional
        public void order(boolean fails) {
            database.update("INSERT INTO orders (product) VALUES ('tea')");
            if (fails) {
                throw new IllegalArgumentException("sold out");
            }
        }
    }

    @RestController
    static final class Door {
        private final Orders orders;

        Door(Orders orders) {
            this.orders = orders;
        }

        @PostMapping("/order")
        String order() {
            orders.order(false);
            return "ordered";
        }
    }

    @Test
    void aHealthyStartSaysNothingAtWarnAndTheScreenTheEndpointAndHealthAreRight() throws Exception {
        LogLines log;
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            try (ConfigurableApplicationContext context = start(coordinator)) {
                log = context.getBean(LogLines.class);
                Await.until("the doctor has told", Duration.ofSeconds(30), () -> log.from(Level.INFO).stream()
                        .anyMatch(line -> line.contains("Global transactions: ")));
                assertThat(log.from(Level.INFO).stream()
                                .filter(line -> line.contains(Doctor.class.getName()))
                                .toList())
                        .singleElement()
                        .satisfies(screen -> assertThat(screen)
                                .contains("Global transactions: all is well.")
                                .contains(coordinator.address())
                                .contains("1 method opens global transactions")
                                .contains("Feign")
                                .contains("undo table \"PUBLIC\".undo_log is as it should be"));
                String root = "http://127.0.0.1:"
                        + ((ServletWebServerApplicationContext) context)
                                .getWebServer()
                                .getPort();
                assertThat(post(root + "/order")).isEqualTo("ordered");
                assertThatThrownBy(() -> context.getBean(Orders.class).order(true))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThat(get(root + "/actuator/txn"))
                        .contains("\"problems\":0", "\"about\":\"coordinator\"", coordinator.address());
                assertThat(get(root + "/actuator/health"))
                        .contains("\"txn\":{\"status\":\"UP\",\"details\":{\"" + coordinator.address()
                                + "\":\"connected\"}}");
            }
        }
        // Tomcat minds that other tests of this process have started one before.
        assertThat(log.from(Level.WARN))
                .filteredOn(line -> !line.contains("org.apache.tomcat.util.modeler.Registry"))
                .isEmpty();
    }

    @Test
    void healthIsDownWhileNoCoordinatorIsThereAndSaysWhy() throws Exception {
        TestCoordinator first = TestCoordinator.start(directory.resolve("first"));
        try (ConfigurableApplicationContext context = start(first)) {
            String root = "http://127.0.0.1:"
                    + ((ServletWebServerApplicationContext) context)
                            .getWebServer()
                            .getPort();
            Await.until("connected behind the start", Duration.ofSeconds(30), () -> get(root + "/actuator/health")
                    .startsWith("{\"status\":\"UP\""));
            first.close();
            Await.until("health is down", Duration.ofSeconds(30), () -> get(root + "/actuator/health")
                    .contains("\"txn\":{\"status\":\"DOWN\""));
            // Whoever routes requests by readiness goes on to send them: most of them need no coordinator.
            assertThat(get(root + "/actuator/health/readiness")).contains("UP");
            try (TestCoordinator again = TestCoordinator.start(directory.resolve("first"), first.port())) {
                Await.until("health is up again", Duration.ofSeconds(30), () -> get(root + "/actuator/health")
                        .startsWith("{\"status\":\"UP\""));
                assertThat(get(root + "/actuator/health")).contains(again.address());
            }
        } finally {
            first.close();
        }
    }

    private static ConfigurableApplicationContext start(TestCoordinator coordinator) {
        return new SpringApplicationBuilder(Application.class)
                // Not before: Spring Boot sets up the logging anew.
                .initializers(context ->
                        context.getBeanFactory().registerSingleton("logLines", LogLines.of(Logger.ROOT_LOGGER_NAME)))
                .run(
                        "--" + coordinator.property(),
                        "--server.port=0",
                        "--server.address=127.0.0.1",
                        "--spring.application.name=healthy",
                        "--spring.datasource.url=jdbc:h2:mem:healthy" + System.nanoTime(),
                        "--spring.sql.init.schema-locations=classpath:healthy.sql",
                        "--management.endpoints.web.exposure.include=health,txn",
                        "--management.endpoint.health.show-details=always",
                        "--management.endpoint.health.probes.enabled=true",
                        "--spring.jmx.enabled=false");
    }

    private static String get(String uri) {
        return ask(HttpRequest.newBuilder(URI.create(uri)).GET());
    }

    private static String post(String uri) {
        return ask(HttpRequest.newBuilder(URI.create(uri)).POST(HttpRequest.BodyPublishers.noBody()));
    }

    private static String ask(HttpRequest.Builder request) {
        try {
            return HttpClient.newHttpClient()
                    .send(request.build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
