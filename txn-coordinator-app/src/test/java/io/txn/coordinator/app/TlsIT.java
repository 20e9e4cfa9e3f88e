package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.Coordinator;
import io.txn.protocol.Xid;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.TlsContext;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.Await;
import io.txn.test.TestAuthority;
import io.txn.test.TestAuthority.Issued;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/** Both ports with certificates out of SSL bundles, and what becomes of them when the files change. */
@ExtendWith(OutputCaptureExtension.class)
@Timeout(180)
class TlsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TOKEN = "a-token-of-the-test-1";
    private static final TestAuthority OURS = new TestAuthority("ours");
    private static final TestAuthority THEIRS = new TestAuthority("theirs");

    @TempDir
    Path directory;

    private final List<AutoCloseable> toClose = new ArrayList<>();

    @BeforeEach
    void certificates() {
        OURS.writePem(directory.resolve("authority.pem"));
        write(OURS.issue("coordinator", "127.0.0.1"));
    }

    private void write(Issued server) {
        server.writePem(directory.resolve("server.pem"), directory.resolve("server.key"));
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) {
            toClose.get(i).close();
        }
    }

    private ConfigurableApplicationContext run(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--txn.coordinator.tcp.port=0",
                "--txn.coordinator.data-dir=" + directory.resolve("data"),
                "--spring.ssl.bundle.pem.txn.keystore.certificate=file:" + directory.resolve("server.pem"),
                "--spring.ssl.bundle.pem.txn.keystore.private-key=file:" + directory.resolve("server.key"),
                "--spring.ssl.bundle.pem.txn.truststore.certificate=file:" + directory.resolve("authority.pem"),
                "--spring.ssl.bundle.pem.txn.reload-on-update=true",
                "--spring.ssl.bundle.watch.file.quiet-period=100ms"));
        arguments.addAll(List.of(more));
        ConfigurableApplicationContext context =
                CoordinatorApplication.application().run(arguments.toArray(String[]::new));
        toClose.add(context);
        return context;
    }

    private static String[] tcp(String clientAuth, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--txn.coordinator.tcp.ssl.bundle=txn",
                "--txn.coordinator.tcp.ssl.client-auth=" + clientAuth,
                "--txn.coordinator.clients[0].name=shop",
                "--txn.coordinator.clients[0].certificate=orders",
                "--txn.coordinator.clients[0].token=" + TOKEN));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private RpcConnection connect(ConfigurableApplicationContext to, Issued own, TestAuthority trusted)
            throws Exception {
        TlsContext context = TlsContext.of(TestAuthority.context(own, trusted));
        RpcClient client =
                new RpcClient(TransportOptions.DEFAULTS.withIoThreads(1), new ClientTls(() -> context, null));
        toClose.add(client);
        return client.connect("127.0.0.1", to.getBean(Coordinator.class).tcpPort(), (connection, frame) -> {})
                .get(30, TimeUnit.SECONDS);
    }

    private static boolean registered(RpcConnection over, String token) throws Exception {
        String extra = token == null
                ? null
                : new ExtraData().with(ExtraData.TOKEN, token).text();
        return ((Message.RegisterTmResponse)
                        over.request(new Message.RegisterTmRequest("2.6.0", "orders", "group", extra), PATIENCE)
                                .get(60, TimeUnit.SECONDS))
                .identified();
    }

    @Test
    void applicationsProveThemselvesByTokenOrCertificate() throws Exception {
        ConfigurableApplicationContext coordinator = run(tcp("want"));

        assertThat(registered(connect(coordinator, null, OURS), TOKEN)).isTrue();
        assertThat(registered(connect(coordinator, OURS.issue("orders"), OURS), null))
                .isTrue();
        assertThat(registered(connect(coordinator, OURS.issue("accounts"), OURS), null))
                .isFalse();
        assertThat(registered(connect(coordinator, null, OURS), null)).isFalse();
    }

    @Test
    void theTcpPortFollowsItsBundleAndEndsWhatIsNotTrustedAnyMore(CapturedOutput output) throws Exception {
        ConfigurableApplicationContext coordinator = run(tcp("need"));
        RpcConnection old = connect(coordinator, OURS.issue("orders"), OURS);
        assertThat(registered(old, null)).isTrue();

        // Half of a change: the certificate does not fit its key, so the one before stays in force.
        Files.writeString(
                directory.resolve("server.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Await.until("the broken bundle is told", PATIENCE, () -> output.getAll().contains("stays in force"));
        assertThat(registered(connect(coordinator, OURS.issue("orders"), OURS), null))
                .isTrue();

        Issued next = THEIRS.issue("coordinator", "127.0.0.1");
        THEIRS.writePem(directory.resolve("authority.pem"));
        write(next);
        Await.until("the old certificate's connection is closed", PATIENCE, () -> !old.isOpen());

        RpcConnection young = connect(coordinator, THEIRS.issue("orders"), THEIRS);
        assertThat(young.peerCertificates().get(0)).isEqualTo(next.certificate());
        assertThat(registered(young, null)).isTrue();
        assertThat(output.getAll()).doesNotContain(TOKEN);
    }

    @Test
    void theAdminApiWantsACertificateAndFollowsItsBundle(CapturedOutput output) throws Exception {
        ConfigurableApplicationContext coordinator = run("--server.ssl.bundle=txn", "--server.ssl.client-auth=need");
        URI uri = URI.create("https://127.0.0.1:"
                + ((ServletWebServerApplicationContext) coordinator)
                        .getWebServer()
                        .getPort()
                + "/api/v1/transactions");
        String token = Files.readString(directory.resolve("data/admin-token")).strip();

        assertThat(status(uri, TestAuthority.context(OURS.issue("operator"), OURS), token))
                .isEqualTo(200);
        assertThat(status(uri, TestAuthority.context(OURS.issue("operator"), OURS), "wrong"))
                .isEqualTo(401);
        assertThatThrownBy(() -> status(uri, TestAuthority.context(null, OURS), token))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> status(uri, TestAuthority.context(THEIRS.issue("operator"), OURS), token))
                .isInstanceOf(IOException.class);

        Coordinator own = coordinator.getBean(Coordinator.class);
        String xid;
        try (TcpApplication orders = new TcpApplication(own.tcpPort(), "orders")) {
            xid = orders.begin("purchase");
        }
        assertThat(forced(uri, xid, TestAuthority.context(OURS.issue("operator"), OURS), token))
                .isEqualTo(200);
        assertThat(own.transaction(new Xid(xid)).join().orElseThrow().summary().cause())
                .contains("admin CN=operator at 127.0.0.1: its host is gone");

        THEIRS.writePem(directory.resolve("authority.pem"));
        write(THEIRS.issue("coordinator", "127.0.0.1"));
        SSLContext theirs = TestAuthority.context(THEIRS.issue("operator"), THEIRS);
        Await.until("the new certificate is in use", PATIENCE, () -> {
            try {
                return status(uri, theirs, token) == 200;
            } catch (IOException e) {
                return false;
            }
        });
        assertThat(output.getAll()).doesNotContain("in plain HTTP");
    }

    private static int forced(URI transactions, String xid, SSLContext context, String token) throws IOException {
        return status(
                HttpRequest.newBuilder(URI.create(transactions + "/" + xid + "/force"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"status\":\"ROLLED_BACK\",\"reason\":\"its host is gone\"}")),
                context,
                token);
    }

    private static int status(URI uri, SSLContext context, String token) throws IOException {
        return status(HttpRequest.newBuilder(uri), context, token);
    }

    /** Over a connection of its own. */
    private static int status(HttpRequest.Builder builder, SSLContext context, String token) throws IOException {
        HttpRequest request = builder.timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .build();
        try {
            return HttpClient.newBuilder()
                    .sslContext(context)
                    .version(HttpClient.Version.HTTP_1_1)
                    .build()
                    .send(request, HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
