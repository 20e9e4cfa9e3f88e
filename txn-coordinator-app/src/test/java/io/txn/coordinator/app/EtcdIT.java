package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.EtcdLocator;
import io.txn.client.discovery.EtcdSettings;
import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.LookupStep;
import io.txn.coordinator.app.registration.Advertised;
import io.txn.coordinator.app.registration.EtcdRegistry;
import io.txn.test.Await;
import io.txn.test.EtcdServer;
import io.txn.test.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The executable jar, a real etcd and our client, which finds the one by the other. */
class EtcdIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    private TxnClient client;

    private String begin() {
        try {
            return client.transactions()
                    .execute(
                            GlobalTransactionOptions.named("purchase"),
                            () -> client.contexts().current().xid().value());
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static Path program() {
        Optional<Path> program = EtcdServer.program();
        if (program.isEmpty()) {
            System.out.println("EtcdIT did not run: there is no etcd on this machine; .ci/run fetches it on a Debian");
        }
        assumeTrue(program.isPresent(), "no etcd on this machine");
        return program.get();
    }

    /** What stands under a key. */
    private static String metadata(EtcdServer etcd, String key) throws Exception {
        String encoded = Base64.getEncoder().encodeToString(key.getBytes(StandardCharsets.UTF_8));
        String answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(etcd.endpoint() + "/v3/kv/range"))
                                .POST(HttpRequest.BodyPublishers.ofString("{\"key\":\"" + encoded + "\"}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        Matcher value = Pattern.compile("\"value\":\"([^\"]+)\"").matcher(answer);
        assertThat(value.find()).as(answer).isTrue();
        return new String(Base64.getDecoder().decode(value.group(1)), StandardCharsets.UTF_8);
    }

    /** At which step the way to coordinators ends, as the doctor tells it. */
    private static void ends(EtcdLocator locator, LookupStep.Kind step, String why) {
        assertThat(locator.examine()).singleElement().satisfies(told -> {
            assertThat(told.passed()).isFalse();
            assertThat(told.kind()).isEqualTo(step);
            assertThat(told.seen()).contains(why).doesNotContain("wrong", "secret");
        });
    }

    /** What it knows of who showed a password is gone after its restart. */
    @Test
    void aUserAndAPasswordAreShownAndARefusedOneIsSaid() throws Exception {
        try (EtcdServer etcd = EtcdServer.start(program(), directory.resolve("etcd"))) {
            for (String[] step : new String[][] {
                {"user/add", "{\"name\":\"root\",\"password\":\"secret\"}"},
                {"role/add", "{\"name\":\"root\"}"},
                {"user/grant", "{\"user\":\"root\",\"role\":\"root\"}"},
                {"enable", "{}"}
            }) {
                HttpResponse<String> answer = HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create(etcd.endpoint() + "/v3/auth/" + step[0]))
                                        .POST(HttpRequest.BodyPublishers.ofString(step[1]))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            }
            List<String> endpoints = List.of(etcd.endpoint());
            Advertised self = Advertised.of("127.0.0.1:8091", Map.of());
            for (String password : new String[] {"wrong", null}) {
                assertThatThrownBy(() -> new EtcdRegistry(endpoints, "blue", "root", password).join(self))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining(
                                password == null ? "user name is empty" : "refuses the user or the password");
            }
            EtcdRegistry registry = new EtcdRegistry(endpoints, "blue", "root", "secret");
            registry.join(self);
            HostPort address = new HostPort("127.0.0.1", 8091);
            try (EtcdLocator refused = EtcdLocator.start(new EtcdSettings(endpoints, "blue", "root", "wrong"));
                    EtcdLocator locator = EtcdLocator.start(new EtcdSettings(endpoints, "blue", "root", "secret"))) {
                Await.until("found", MAX, () -> locator.current().equals(List.of(address)));
                Await.until("said", MAX, () -> refused.description().contains("it refuses the user or the password"));
                assertThat(refused.current()).isEmpty();
                ends(refused, LookupStep.Kind.CREDENTIALS, "it refuses the user or the password");
                try (EtcdLocator nobody = EtcdLocator.start(new EtcdSettings(endpoints, "blue", null, null))) {
                    ends(nobody, LookupStep.Kind.CREDENTIALS, "user name is empty");
                }
                assertThat(locator.examine())
                        .singleElement()
                        .isEqualTo(new LookupStep(LookupStep.Kind.INSTANCE, true, "1 registered there"));

                etcd.kill9();
                etcd.restart();
                registry.join(Advertised.of("127.0.0.1:8092", Map.of()));
                Await.until("found after the restart", MAX, () -> locator.current()
                        .contains(new HostPort("127.0.0.1", 8092)));
            }
        }
    }

    @Test
    void aCoordinatorIsListedAsLongAsItLivesAndClientsFollowItToAnotherAddress() throws Exception {
        try (EtcdServer etcd = EtcdServer.start(program(), directory.resolve("etcd"))) {
            String[] arguments = {
                "--txn.coordinator.etcd.endpoints=" + etcd.endpoint(), "--txn.coordinator.etcd.cluster=blue"
            };
            EtcdLocator locator = EtcdLocator.start(new EtcdSettings(List.of(etcd.endpoint()), "blue", null, null));
            try (EtcdLocator elsewhere = EtcdLocator.start(EtcdSettings.of(etcd.endpoint()));
                    CoordinatorProcess first =
                            CoordinatorProcess.start(directory, arguments).awaitReady()) {
                client = TxnClient.start(
                        TxnClientOptions.of("shop").withStartWait(MAX).withConnectWait(MAX), locator);
                HostPort old = new HostPort("127.0.0.1", first.tcpPort());
                assertThat(locator.current()).containsExactly(old);
                assertThat(metadata(etcd, "/txn/coordinators/blue/" + old))
                        .contains(
                                "\"txn-tcp-port\":\"" + first.tcpPort() + '"',
                                "\"http-port\":\"" + first.httpPort() + '"',
                                "\"version\":\"",
                                "\"domain\":\"",
                                "lock-wait")
                        .doesNotContain("unknown");
                assertThat(begin()).startsWith(old + ":");
                assertThat(elsewhere.current()).as("of another cluster").isEmpty();
                String where = "nobody is registered in cluster default, but in [blue]";
                Await.until("said", MAX, () -> elsewhere.description().contains(where));
                ends(elsewhere, LookupStep.Kind.SERVICE, where);

                etcd.kill9();
                Await.untilPasses(
                        "told",
                        MAX,
                        () -> ends(elsewhere, LookupStep.Kind.CONNECTION, etcd.endpoint() + " refuses connections"));
                try (EtcdLocator lost = EtcdLocator.start(EtcdSettings.of("http://no-such-host.invalid:2379"))) {
                    ends(lost, LookupStep.Kind.NAME, "the host name is not known here");
                }
                first.process().awaitLine("registry is away", MAX);
                assertThat(begin()).startsWith(old + ":");
                etcd.restart();
                first.process().awaitLine("registered again", MAX);

                first.process().kill9();
                long from = System.nanoTime();
                try (CoordinatorProcess second = CoordinatorProcess.start(
                                directory, Ports.free(), Ports.free(), arguments)
                        .awaitReady()) {
                    HostPort moved = new HostPort("127.0.0.1", second.tcpPort());
                    Await.until("the new address is listed", MAX, () -> locator.current()
                            .contains(moved));
                    assertThat(begin()).startsWith(moved + ":");
                    // Nobody keeps the lease of the one that was killed.
                    Await.until(
                            "the old one is out", MAX, () -> locator.current().equals(List.of(moved)));
                    System.out.println("EtcdIT: the killed one was out " + (System.nanoTime() - from) / 1_000_000
                            + " ms after its end");
                    assertThat(second.process().term(Duration.ofSeconds(30))).isTrue();
                    assertThat(second.process().output()).contains("Left the registry");
                    assertThat(locator.current()).as("the last known stays").containsExactly(moved);
                }
            } finally {
                if (client != null) {
                    client.close();
                }
                locator.close();
            }
        }
    }
}
