package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.boot.web.reactive.context.ReactiveWebServerApplicationContext;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** Whose headers count, between real servers: one that knows the key, and one that believes nobody near. */
@Timeout(180)
@ExtendWith(OutputCaptureExtension.class)
class TrustIT {

    private static final String OLD_KEY = "the key of last year";
    private static final String KEY = "the key of this year";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static ServletWebServerApplicationContext keyed;
    private static ServletWebServerApplicationContext closed;
    private static ServletWebServerApplicationContext behindTomcatsValve;
    private static ReactiveWebServerApplicationContext reactive;

    @BeforeAll
    static void start() {
        keyed = (ServletWebServerApplicationContext) TheCoordinator.run(
                Service.class,
                WebApplicationType.SERVLET,
                "txn.propagation.key[0]=" + KEY,
                "txn.propagation.key[1]=" + OLD_KEY);
        String peers = "txn.propagation.peers=203.0.113.0/24,2001:db8::1";
        closed = (ServletWebServerApplicationContext) TheCoordinator.run(
                Service.class, WebApplicationType.SERVLET, peers, "server.forward-headers-strategy=framework");
        behindTomcatsValve = (ServletWebServerApplicationContext) TheCoordinator.run(
                Service.class, WebApplicationType.SERVLET, peers, "server.forward-headers-strategy=native");
        reactive = (ReactiveWebServerApplicationContext) TheCoordinator.run(
                Service.class, WebApplicationType.REACTIVE, peers, "server.forward-headers-strategy=framework");
    }

    @AfterAll
    static void stop() {
        keyed.close();
        closed.close();
        behindTomcatsValve.close();
        reactive.close();
    }

    private static String url(WebServerApplicationContext application) {
        return "http://127.0.0.1:" + application.getWebServer().getPort() + "/who";
    }

    private static String get(WebServerApplicationContext application, String... headers) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url(application)))
                .headers(headers)
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static String global(ServletWebServerApplicationContext from, String name, String url) throws Throwable {
        return from.getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(LONG), () -> {
                    String answer = from.getBean(RestClient.Builder.class)
                            .build()
                            .get()
                            .uri(url)
                            .retrieve()
                            .body(String.class);
                    String own =
                            from.getBean(ContextCarrier.class).current().xid().value();
                    return answer.replace(own, "own");
                });
    }

    @Test
    void whatIsSignedIsTakenOver() throws Throwable {
        assertThat(global(keyed, "signed", url(keyed))).isEqualTo("own PARTICIPANT");
        assertThat(TheCoordinator.ended("signed").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void whatIsNotSignedOrWronglyIsServedWithoutTheTransactionAndSaidOnce(CapturedOutput output) throws Exception {
        for (int call = 0; call < 3; call++) {
            assertThat(get(keyed, "TX_XID", "10.0.0.1:8091:5")).isEqualTo("none");
            assertThat(get(keyed, "TX_XID", "10.0.0.1:8091:5", "TX_SIGNATURE", "1:1:AAAA"))
                    .isEqualTo("none");
        }
        assertThat(output.getAll().lines())
                .filteredOn(line -> line.contains("dropped the global transaction") && line.contains("not signed"))
                .hasSizeLessThanOrEqualTo(1);
    }

    @Test
    void fromOutsideOfTheNamedNetworksNothingIsTakenOver(CapturedOutput output) throws Throwable {
        assertThat(get(closed, "TX_XID", "10.0.0.1:8091:5")).isEqualTo("none");
        assertThat(global(keyed, "to-closed", url(closed))).isEqualTo("none");
        assertThat(output.getAll().lines())
                .filteredOn(line -> line.contains("outside of txn.propagation.peers"))
                .hasSizeLessThanOrEqualTo(1);
    }

    /** Anybody can write that he is somebody else. */
    @Test
    void whoIsAtTheOtherEndOfTheConnectionCountsAndNotWhatItsHeadersSay(CapturedOutput output) throws Exception {
        assertThat(get(closed, "TX_XID", "10.0.0.1:8091:5", "X-Forwarded-For", "203.0.113.7"))
                .isEqualTo("none");
        // Each says it once an hour, and these two are asked here alone.
        for (WebServerApplicationContext application : List.of(behindTomcatsValve, reactive)) {
            long before = dropped(output);
            assertThat(get(application, "TX_XID", "10.0.0.1:8091:5", "X-Forwarded-For", "203.0.113.7"))
                    .isEqualTo("none");
            assertThat(dropped(output)).isEqualTo(before + 1);
        }
    }

    private static long dropped(CapturedOutput output) {
        return output.getAll()
                .lines()
                .filter(line -> line.contains("outside of txn.propagation.peers"))
                .count();
    }

    @RestController
    static class Who {

        private final ContextCarrier contexts;

        Who(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @GetMapping("/who")
        String who() {
            TransactionContext context = contexts.current();
            return context == null ? "none" : context.xid() + " " + context.role();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @Import(Who.class)
    static class Service {}
}
