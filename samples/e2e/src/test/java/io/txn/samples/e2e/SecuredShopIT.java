package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.ServerDatabases;
import io.txn.test.TestAuthority;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * A shop that trusts nobody: every connection to the coordinator is mutual TLS, and each service proves itself by the
 * subject of its certificate, the last one by a token besides. On PostgreSQL; {@link RowsInTheWayIT} makes the same purchases on MariaDB, {@link DemoIT} its own
 * on H2. In the wide form only: {@code TlsIT} and {@code SecuredCoordinatorIT} show the same with fewer processes.
 */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class SecuredShopIT {

    private static final String TOKEN = "a-token-of-the-test-1";

    @Test
    void purchasesAreMadeOverMutualTls() throws IOException {
        Path certificates = Shop.data("secured-certificates").toAbsolutePath();
        TestAuthority authority = new TestAuthority("shop");
        authority.writePem(certificates.resolve("authority.pem"));
        Path token = Files.writeString(certificates.resolve("token"), TOKEN + "\n");

        Map<Program, List<String>> further = new EnumMap<>(Program.class);
        List<String> coordinator = bundle(authority, certificates, "coordinator", "127.0.0.1");
        coordinator.addAll(List.of(
                "--txn.coordinator.tcp.ssl.bundle=txn",
                "--txn.coordinator.tcp.ssl.client-auth=need",
                "--txn.coordinator.clients[0].name=account",
                "--txn.coordinator.clients[0].token-file=" + token,
                "--txn.coordinator.clients[0].applications=account-service"));
        int next = 1;
        for (Program program : Program.values()) {
            if (program.isService()) {
                String name = program.title() + "-service";
                List<String> service = bundle(authority, certificates, name);
                service.add("--txn.client.ssl.bundle=txn");
                if (program == Program.ACCOUNT) {
                    service.add("--txn.client.token-file=" + token);
                } else {
                    String entry = "--txn.coordinator.clients[" + next++ + "].";
                    coordinator.addAll(List.of(
                            entry + "name=" + program.title(),
                            entry + "certificate=" + name,
                            entry + "applications=" + name,
                            entry + "resources=jdbc:postgresql:*"));
                }
                further.put(program, service);
            }
        }
        further.put(Program.COORDINATOR, coordinator);

        TestDatabase server = TestDatabases.postgres();
        try (ServerDatabases databases =
                        ServerDatabases.create(server.jdbcUrl(), server.user(), server.password(), "secured");
                Shop shop = Shop.open("secured", databases.database(), further)) {
            Purchases.commitAndRollBackAsOne(shop);

            for (Program program : Program.values()) {
                assertThat(Files.readString(shop.plan().log(program)))
                        .as("log of %s", program)
                        .doesNotContain(TOKEN);
            }
        }
    }

    private static List<String> bundle(TestAuthority authority, Path directory, String name, String... addresses) {
        Path certificate = directory.resolve(name + ".pem");
        Path key = directory.resolve(name + ".key");
        authority.issue(name, addresses).writePem(certificate, key);
        return new ArrayList<>(List.of(
                "--spring.ssl.bundle.pem.txn.keystore.certificate=file:" + certificate,
                "--spring.ssl.bundle.pem.txn.keystore.private-key=file:" + key,
                "--spring.ssl.bundle.pem.txn.truststore.certificate=file:" + directory.resolve("authority.pem")));
    }
}
