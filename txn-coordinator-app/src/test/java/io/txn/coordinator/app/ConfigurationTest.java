package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.Secret;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.ConfigurationDoc;
import io.txn.test.GeneratedDoc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class ConfigurationTest {

    private static CoordinatorProperties bound(Map<String, String> values) {
        return new Binder(new MapConfigurationPropertySource(values))
                .bindOrCreate(CoordinatorProperties.PREFIX, CoordinatorProperties.class);
    }

    @Test
    void withNoConfigurationTheOptionsAreTheLibrarysDefaults() {
        assertThat(bound(Map.of()).toOptions()).isEqualTo(CoordinatorOptions.DEFAULTS);
    }

    @Test
    void aDistinguishedNameIsNotTakenApart() {
        assertThatThrownBy(() -> bound(Map.of(
                                "txn.coordinator.clients[0].name", "shop",
                                "txn.coordinator.clients[0].certificate", "CN=shop,O=Ours"))
                        .toOptions())
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("item of a list");
        assertThat(bound(Map.of(
                                "txn.coordinator.clients[0].name", "shop",
                                "txn.coordinator.clients[0].certificate[0]", "CN=shop,O=Ours"))
                        .clients()
                        .get(0)
                        .toEntry()
                        .certificates())
                .containsExactly("CN=shop,O=Ours");
        assertThat(bound(Map.of(
                                "txn.coordinator.clients[0].name", "shop",
                                "txn.coordinator.clients[0].certificate", "shop,stock-*"))
                        .clients()
                        .get(0)
                        .toEntry()
                        .certificates())
                .containsExactly("shop", "stock-*");
    }

    @Test
    void textsThatHoldSecretsDoNotShowThem() {
        assertThat(bound(Map.of(
                                "txn.coordinator.nacos.password", "hush-hush-hush",
                                "txn.coordinator.clients[0].name", "shop",
                                "txn.coordinator.clients[0].token", "a-token-of-the-test",
                                "txn.coordinator.clients[0].secret-key", "sk-of-the-test"))
                        .toString())
                .contains("shop")
                .doesNotContain("hush", "of-the-test");
    }

    @Test
    void everyKeyReachesItsOption() {
        CoordinatorOptions options = bound(Map.ofEntries(
                        Map.entry("txn.coordinator.data-dir", "/d"),
                        Map.entry("txn.coordinator.advertised-address", "tc.example:9"),
                        Map.entry("txn.coordinator.allow-unauthenticated", "true"),
                        Map.entry("txn.coordinator.restart-grace", "1s"),
                        Map.entry("txn.coordinator.tcp.host", "0.0.0.0"),
                        Map.entry("txn.coordinator.tcp.port", "2"),
                        Map.entry("txn.coordinator.tcp.registration-timeout", "21s"),
                        Map.entry("txn.coordinator.seata-resource-managers", "by-transaction-manager"),
                        Map.entry("txn.coordinator.clients[0].name", "shop"),
                        Map.entry("txn.coordinator.clients[0].token", "token-1,token-2"),
                        Map.entry("txn.coordinator.clients[0].token-file", "/run/secrets/tokens"),
                        Map.entry("txn.coordinator.clients[0].applications", "orders,stock-*"),
                        Map.entry("txn.coordinator.clients[1].name", "legacy"),
                        Map.entry("txn.coordinator.clients[1].access-key", "ak"),
                        Map.entry("txn.coordinator.clients[1].secret-key", "sk"),
                        Map.entry("txn.coordinator.clients[1].certificate", "CN=legacy"),
                        Map.entry("txn.coordinator.clients[1].resources", "jdbc:*"),
                        Map.entry("txn.coordinator.retry.call-timeout", "3s"),
                        Map.entry("txn.coordinator.retry.initiator-wait", "4s"),
                        Map.entry("txn.coordinator.retry.first-delay", "5s"),
                        Map.entry("txn.coordinator.retry.max-delay", "6s"),
                        Map.entry("txn.coordinator.retry.max-attempts", "7"),
                        Map.entry("txn.coordinator.limits.mailbox", "8"),
                        Map.entry("txn.coordinator.limits.mailbox-size", "5MB"),
                        Map.entry("txn.coordinator.limits.unwritten", "9"),
                        Map.entry("txn.coordinator.limits.transactions", "10"),
                        Map.entry("txn.coordinator.limits.branches-per-transaction", "11"),
                        Map.entry("txn.coordinator.limits.locks-per-branch", "12"),
                        Map.entry("txn.coordinator.limits.text-length", "13"),
                        Map.entry("txn.coordinator.limits.application-data-length", "14"),
                        Map.entry("txn.coordinator.limits.calls-in-flight", "15"),
                        Map.entry("txn.coordinator.limits.requests-per-connection", "22"),
                        Map.entry("txn.coordinator.limits.resources-per-connection", "23"),
                        Map.entry("txn.coordinator.limits.lock-waiters", "32"),
                        Map.entry("txn.coordinator.limits.lock-waiters-per-connection", "33"),
                        Map.entry("txn.coordinator.tcp.max-frame-size", "24KB"),
                        Map.entry("txn.coordinator.tcp.max-connections", "25"),
                        Map.entry("txn.coordinator.tcp.max-unregistered-connections", "30"),
                        Map.entry("txn.coordinator.tcp.max-unregistered-connections-per-address", "31"),
                        Map.entry("txn.coordinator.tcp.read-timeout", "26s"),
                        Map.entry("txn.coordinator.tcp.write-buffer-size", "28KB"),
                        Map.entry("txn.coordinator.tcp.slow-reader-timeout", "29s"),
                        Map.entry("txn.coordinator.shutdown-timeout", "20s"),
                        Map.entry("txn.coordinator.retention.time", "16s"),
                        Map.entry("txn.coordinator.retention.transactions", "17"),
                        Map.entry("txn.coordinator.request-keys.lifetime", "32s"),
                        Map.entry("txn.coordinator.request-keys.most", "33"),
                        Map.entry("txn.coordinator.request-keys.memory", "34KB"),
                        Map.entry("txn.coordinator.undo-log.delete-period", "18s"),
                        Map.entry("txn.coordinator.undo-log.save-days", "19"),
                        Map.entry("txn.coordinator.saga.http.targets[0]", "https://pay.example/api"),
                        Map.entry("txn.coordinator.saga.http.connect-timeout", "35s")))
                .toOptions();
        assertThat(options)
                .isEqualTo(new CoordinatorOptions(
                        "0.0.0.0",
                        2,
                        "tc.example:9",
                        true,
                        Path.of("/d"),
                        TransportOptions.DEFAULTS
                                .withMaxFrameBytes(24 << 10)
                                .withMaxConnections(25)
                                .withMaxUnregistered(30, 31)
                                .withIdle(TransportOptions.DEFAULTS.writeIdle(), Duration.ofSeconds(26))
                                .withWriteBuffer(7 << 10, 28 << 10, Duration.ofSeconds(29)),
                        null,
                        new AccessRules(
                                List.of(
                                        new ClientEntry(
                                                "shop",
                                                List.of(new Secret("token-1"), new Secret("token-2")),
                                                Path.of("/run/secrets/tokens"),
                                                null,
                                                null,
                                                List.of(),
                                                List.of("orders", "stock-*"),
                                                List.of()),
                                        new ClientEntry(
                                                "legacy",
                                                List.of(),
                                                null,
                                                "ak",
                                                new Secret("sk"),
                                                List.of("CN=legacy"),
                                                List.of(),
                                                List.of("jdbc:*"))),
                                SeataResourceManagers.BY_TRANSACTION_MANAGER),
                        Duration.ofSeconds(21),
                        new CoordinatorOptions.Retry(
                                Duration.ofSeconds(3),
                                Duration.ofSeconds(4),
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(6),
                                7),
                        new CoordinatorOptions.Limits(8, 5 << 20, 9, 10, 11, 12, 13, 14, 15, 22, 23, 32, 33),
                        new CoordinatorOptions.Retention(Duration.ofSeconds(16), 17),
                        new CoordinatorOptions.RequestKeyLimits(Duration.ofSeconds(32), 33, 34 << 10),
                        new CoordinatorOptions.UndoLog(Duration.ofSeconds(18), 19),
                        new CoordinatorOptions.Sagas(List.of("https://pay.example/api"), Duration.ofSeconds(35)),
                        Duration.ofSeconds(1)));
    }

    @Test
    void aValueOutOfRangeNamesItsKey() {
        assertThatThrownBy(() ->
                        bound(Map.of("txn.coordinator.limits.mailbox", "0")).toOptions())
                .isInstanceOfSatisfying(TxnException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
                    assertThat(e.facts()).containsEntry("key", "txn.coordinator.limits.mailbox");
                });
        assertThatThrownBy(() -> bound(Map.of("txn.coordinator.journal", "stone")))
                .isInstanceOf(BindException.class);
    }

    @Test
    void theMetadataDescribesExactlyTheKeysThatAreBound() {
        Map<String, String> defaults =
                ConfigurationDoc.of(CoordinatorProperties.class).defaults();
        assertThat(defaults)
                .containsEntry("txn.coordinator.tcp.port", "8091")
                .containsEntry("txn.coordinator.nacos.service", "txn-coordinator")
                .containsEntry("txn.coordinator.advertised-address", null);
        // What the metadata calls a default is one: binding it explicitly changes nothing.
        Map<String, String> explicit = new java.util.HashMap<>();
        defaults.forEach((key, value) -> {
            if (value != null) {
                explicit.put(key, value);
            }
        });
        assertThat(bound(explicit)).isEqualTo(bound(Map.of()));
    }

    /** Every bound, and no other, has its row in the table that says what happens there. */
    @Test
    void theTableOfBoundsHasEveryBoundWithItsDefault() throws IOException {
        String page = Files.readString(Path.of("../docs/operations.md"));
        String table = page.substring(page.indexOf("<!-- bounds -->"), page.indexOf("<!-- end of bounds -->"));
        Map<String, String> rows = new TreeMap<>();
        Matcher row = Pattern.compile("(?m)^\\| `([a-z.-]+)` \\| `([^`]+)` \\|").matcher(table);
        while (row.find()) {
            rows.put("txn.coordinator." + row.group(1), row.group(2));
        }
        Map<String, String> bounds = new TreeMap<>();
        ConfigurationDoc.of(CoordinatorProperties.class).defaults().forEach((key, value) -> {
            if (key.matches("txn\\.coordinator\\.(limits\\..*|tcp\\.(max-|write-|slow-|read-).*)")) {
                bounds.put(key, value);
            }
        });
        assertThat(rows).isEqualTo(bounds).hasSizeGreaterThanOrEqualTo(16);
    }

    @Test
    void thePageOfTheConfigurationIsUpToDate() {
        ConfigurationDoc doc = ConfigurationDoc.of(CoordinatorProperties.class);
        Map<String, String> ofAClient = new java.util.TreeMap<>(Map.of(
                "name", "How logs call this client.",
                "token",
                        "Secrets of which it shows one; two at a time while they are exchanged. At least 16 characters.",
                "token-file", "File with more of them, one a line; it is read again when it changes.",
                "access-key", "Access key of Seata's clients. Needs applications.",
                "secret-key", "Secret key that goes with it.",
                "certificate",
                        "Subjects of certificates: patterns for common and alternative names, or distinguished names as items of a list (certificate[0]).",
                "applications", "Patterns of the application names it may register under; when it is not set, any.",
                "resources", "Patterns of the resources it may register and lock rows of; when it is not set, any."));
        for (Map.Entry<String, String> key : ofAClient.entrySet()) {
            boolean list =
                    !List.of("name", "token-file", "access-key", "secret-key").contains(key.getKey());
            doc = doc.and(
                    "txn.coordinator.clients[n]." + key.getKey(),
                    list ? "list, separated by commas" : "text",
                    null,
                    key.getValue());
        }
        // The doctor of an application that reads the same file must not take them for misspelt.
        GeneratedDoc.of("../txn-spring-boot-autoconfigure/src/main/resources/io/txn/spring/doctor/coordinator-keys.txt")
                .check(String.join("\n", doc.defaults().keySet()) + "\n");
        String table = doc.and(
                        "server.address",
                        "address",
                        "127.0.0.1",
                        "Address of the admin API, which its token guards. For anything but loopback set server.ssl too, or let a proxy add TLS.")
                .and("server.port", "number", "7091", "Port of the admin API and the health endpoint.")
                .table();
        GeneratedDoc.of("configuration-coordinator.md").check("""
                # Configuration of the coordinator

                Set these as for any Spring Boot application: `--key=value` on the command line, environment variables (`TXN_COORDINATOR_DATADIR`), an
                `application.yml` in the working directory. An unknown key below `txn.coordinator` in a file or on the command line keeps the coordinator
                from starting. Durations are written like `500ms`, `15s`, `24h`. Boot's other keys (TLS under `server.ssl`, logging) work as usual.

                """ + table + """

                This page is generated from the configuration's own descriptions; `docs/testing.md` says how.
                """);
    }
}
