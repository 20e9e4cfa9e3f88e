package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TxnClient;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.access.Secret;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.ServerTls.ClientAuth;
import io.txn.protocol.transport.TlsContext;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.TestAuthority;
import io.txn.test.TestAuthority.Issued;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Applications before a coordinator that asks who they are: let in, or told at their start why not. */
@Timeout(180)
class SecuredCoordinatorIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TOKEN = "a-token-of-the-test-1";
    private static final String OTHER_TOKEN = "a-token-of-the-test-2";

    private static final TestAuthority OURS = new TestAuthority("ours");
    private static final TestAuthority THEIRS = new TestAuthority("theirs");

    @TempDir
    Path directory;

    private final List<AutoCloseable> toClose = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) {
            toClose.get(i).close();
        }
    }

    private TestCoordinator coordinator(UnaryOperator<CoordinatorOptions> more) {
        return coordinator(0, more);
    }

    private TestCoordinator coordinator(int port, UnaryOperator<CoordinatorOptions> more) {
        TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"), port, more);
        toClose.add(coordinator);
        return coordinator;
    }

    private static UnaryOperator<CoordinatorOptions> clients(ClientEntry... clients) {
        return options -> options.withAccess(new AccessRules(List.of(clients), SeataResourceManagers.REFUSE));
    }

    private static UnaryOperator<CoordinatorOptions> tls(Issued server, ClientAuth clientAuth) {
        TlsContext context = TlsContext.of(TestAuthority.context(server, OURS));
        return options -> options.withTls(new ServerTls(() -> context, clientAuth, true));
    }

    private static Issued server() {
        return OURS.issue("coordinator", "127.0.0.1");
    }

    private static ClientEntry shop() {
        return new ClientEntry(
                "shop",
                List.of(new Secret(TOKEN)),
                null,
                "ak",
                new Secret("sk-of-the-test"),
                List.of("orders"),
                List.of("orders"),
                List.of());
    }

    private ApplicationContextRunner application(TestCoordinator coordinator, String... properties) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        SslAutoConfiguration.class, TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class))
                .withPropertyValues(
                        coordinator.property(),
                        "spring.application.name=orders",
                        "txn.client.connect-wait=2s",
                        "txn.client.start-wait=2s")
                .withPropertyValues(properties);
    }

    /** A bundle that trusts this authority and shows this certificate. */
    private String[] bundle(TestAuthority trusted, Issued own) {
        trusted.writePem(directory.resolve("authority.pem"));
        List<String> properties = new ArrayList<>(List.of(
                "txn.client.ssl.bundle=coordinator",
                "spring.ssl.bundle.pem.coordinator.truststore.certificate=file:" + directory.resolve("authority.pem")));
        if (own != null) {
            own.writePem(directory.resolve("own.pem"), directory.resolve("own.key"));
            properties.add(
                    "spring.ssl.bundle.pem.coordinator.keystore.certificate=file:" + directory.resolve("own.pem"));
            properties.add(
                    "spring.ssl.bundle.pem.coordinator.keystore.private-key=file:" + directory.resolve("own.key"));
        }
        return properties.toArray(String[]::new);
    }

    /** A transaction of an AT data source, rolled back: both kinds of connections, and a branch call. */
    private static void works(ApplicationContextRunner application, String... properties) {
        String url = "jdbc:h2:mem:" + "s" + Ports.free() + ";DB_CLOSE_DELAY=-1";
        application
                .withPropertyValues(properties)
                .withBean(DataSource.class, () -> new DriverManagerDataSource(url))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    JdbcTemplate jdbc = new JdbcTemplate(context.getBean(DataSource.class));
                    jdbc.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
                    jdbc.update("INSERT INTO t VALUES (1, 1)");
                    GlobalTransactionTemplate transactions = context.getBean(GlobalTransactionTemplate.class);
                    try {
                        transactions.execute(GlobalTransactionOptions.named("purchase"), () -> {
                            jdbc.update("UPDATE t SET v = 2 WHERE id = 1");
                            throw new IllegalStateException("the business failed");
                        });
                    } catch (Throwable e) {
                        assertThat(e).hasMessage("the business failed");
                    }
                    assertThat(jdbc.queryForObject("SELECT v FROM t", Integer.class))
                            .isEqualTo(1);
                });
    }

    private static FailureAnalysis refused(ApplicationContextRunner application, String... properties) {
        List<FailureAnalysis> analyses = new ArrayList<>();
        application.withPropertyValues(properties).run(context -> {
            assertThat(context.getStartupFailure()).isNotNull();
            analyses.add(new TxnFailureAnalyzer(null).analyze(context.getStartupFailure()));
        });
        FailureAnalysis analysis = analyses.get(0);
        assertThat(analysis.getDescription() + analysis.getAction())
                .doesNotContain(TOKEN, OTHER_TOKEN, "sk-of-the-test");
        return analysis;
    }

    @Test
    void aTokenLetsIn() throws Exception {
        TestCoordinator coordinator = coordinator(clients(shop()));
        Path file = Files.writeString(directory.resolve("token"), "\n" + TOKEN + "\n");

        works(application(coordinator, "txn.client.token=" + TOKEN));
        works(application(coordinator, "txn.client.token-file=" + file));
        works(application(coordinator, "txn.client.access-key=ak", "txn.client.secret-key=sk-of-the-test"));
    }

    @Test
    void whoeverIsRefusedIsToldAtTheStart() {
        TestCoordinator coordinator = coordinator(clients(shop()));

        FailureAnalysis none = refused(application(coordinator));
        assertThat(none.getDescription()).contains("TXN-SEC009").contains("it shows no credential");
        assertThat(none.getAction()).contains("txn.client.token");
        assertThat(refused(application(coordinator, "txn.client.token=" + OTHER_TOKEN))
                        .getDescription())
                .contains("TXN-SEC009")
                .contains("no client has this token");
        assertThat(refused(application(coordinator, "txn.client.access-key=ak", "txn.client.secret-key=wrong"))
                        .getDescription())
                .contains("TXN-SEC009")
                .contains("not right");
        assertThat(refused(application(coordinator, "txn.client.token=" + TOKEN, "txn.client.application-id=accounts"))
                        .getDescription())
                .contains("TXN-SEC010")
                .contains("application: accounts");
        assertThat(refused(application(coordinator, "txn.client.token-file=" + directory.resolve("missing")))
                        .getDescription())
                .contains("TXN-SEC012")
                .contains("missing");
        assertThat(refused(application(coordinator, bundle(OURS, null))).getDescription())
                .contains("TXN-SEC004");
    }

    @Test
    void mutualTlsLetsIn() {
        TestCoordinator coordinator = coordinator(
                options -> clients(shop()).apply(tls(server(), ClientAuth.NEED).apply(options)));

        works(application(coordinator, bundle(OURS, OURS.issue("orders"))));
        works(application(coordinator, bundle(OURS, OURS.issue("whoever"))), "txn.client.token=" + TOKEN);
        assertThat(refused(application(coordinator, bundle(OURS, OURS.issue("accounts"))))
                        .getDescription())
                .contains("TXN-SEC009");
        assertThat(refused(application(coordinator, bundle(OURS, null))).getDescription())
                .contains("TXN-SEC006");
        assertThat(refused(application(coordinator, "txn.client.token=" + TOKEN))
                        .getDescription())
                .contains("TXN-SEC005");
    }

    @Test
    void theCoordinatorMustProveItselfToo() {
        TestCoordinator coordinator = coordinator(options -> clients(shop())
                .apply(tls(OURS.issue("coordinator", "tc.test"), ClientAuth.NONE)
                        .apply(options)));
        String token = "txn.client.token=" + TOKEN;

        assertThat(refused(application(coordinator, bundle(THEIRS, null)), token)
                        .getDescription())
                .contains("TXN-SEC001");
        FailureAnalysis name = refused(application(coordinator, bundle(OURS, null)), token);
        assertThat(name.getDescription()).contains("TXN-SEC002");
        assertThat(name.getAction()).contains("txn.client.ssl.server-name");
        // Java's own authorities issued nothing here.
        assertThat(refused(application(coordinator, "txn.client.ssl.enabled=true"), token)
                        .getDescription())
                .contains("TXN-SEC001");
        works(application(coordinator, bundle(OURS, null)), token, "txn.client.ssl.server-name=tc.test");
    }

    @Test
    void whatCannotBeMeantIsNamed() {
        TestCoordinator coordinator = coordinator(options -> options);

        assertThat(refused(application(coordinator, "txn.client.ssl.bundle=nowhere"))
                        .getDescription())
                .contains("TXN-CFG001")
                .contains("nowhere");
        assertThat(refused(application(coordinator, "txn.client.access-key=ak")).getDescription())
                .contains("go together");
        assertThat(refused(application(coordinator, "txn.client.token=" + TOKEN, "txn.client.token-file=/x"))
                        .getDescription())
                .contains("only one");
    }

    @Test
    void aRefusedApplicationTriesAgainAtLeisureAndIsLetInOnceItMay() throws Exception {
        Path file = Files.writeString(directory.resolve("tokens"), OTHER_TOKEN);
        ClientEntry byFile = new ClientEntry("shop", List.of(), file, null, null, List.of(), List.of(), List.of());
        TestCoordinator coordinator = coordinator(clients(byFile));
        try (LogLines log = LogLines.of("io.txn.client.rpc")) {
            application(coordinator, "txn.client.token=" + TOKEN, "txn.client.fail-fast=false")
                    .run(context -> {
                        TxnClient client = context.getBean(TxnClient.class);
                        Await.until("the refusal is told", PATIENCE, () -> !log.from(Level.ERROR)
                                .isEmpty());
                        assertThat(client.connected()).isFalse();
                        assertThat(log.from(Level.ERROR))
                                .allMatch(line -> line.contains("TXN-SEC009") && line.contains("Fix:"))
                                .noneMatch(line -> line.contains(TOKEN));

                        Files.writeString(file, TOKEN);
                        Await.until("it is let in", PATIENCE, client::connected);
                        assertThat(log.from(Level.ERROR))
                                .as("once for all tries")
                                .hasSize(1);
                    });
        }
    }

    @Test
    void anApplicationFollowsItsBundle() throws Exception {
        TestCoordinator coordinator = coordinator(
                options -> clients(shop()).apply(tls(server(), ClientAuth.NEED).apply(options)));
        String[] bundle = bundle(OURS, OURS.issue("orders"));
        application(coordinator, bundle)
                .withPropertyValues(
                        "spring.ssl.bundle.pem.coordinator.reload-on-update=true",
                        "spring.ssl.bundle.watch.file.quiet-period=100ms")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    TxnClient client = context.getBean(TxnClient.class);
                    int port = coordinator.port();
                    try (LogLines log = LogLines.of("io.txn.spring.autoconfigure")) {
                        // Both sides move to another authority.
                        THEIRS.writePem(directory.resolve("authority.pem"));
                        THEIRS.issue("orders").writePem(directory.resolve("own.pem"), directory.resolve("own.key"));
                        Await.until("the bundle is read again", PATIENCE, () -> log.from(Level.INFO).stream()
                                .anyMatch(line -> line.contains("has changed: new connections")));
                        coordinator.close();
                        Await.until("the old connection is gone", PATIENCE, () -> !client.connected());
                        TlsContext theirs =
                                TlsContext.of(TestAuthority.context(THEIRS.issue("coordinator", "127.0.0.1"), THEIRS));
                        coordinator(port, options -> clients(shop())
                                .apply(options.withTls(new ServerTls(() -> theirs, ClientAuth.NEED, true))));
                        Await.until("a connection by the new certificates", PATIENCE, client::connected);
                    }
                });
    }
}
