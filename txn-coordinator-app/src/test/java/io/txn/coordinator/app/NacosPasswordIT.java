package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.discovery.HostPort;
import io.txn.client.discovery.LookupStep;
import io.txn.client.discovery.NacosLocator;
import io.txn.client.discovery.NacosSettings;
import io.txn.coordinator.app.registration.Advertised;
import io.txn.coordinator.app.registration.NacosRegistry;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Nacos server that asks for a user and a password, or for an access key and its signature. */
class NacosPasswordIT {

    private static final Duration MAX = Duration.ofSeconds(90);

    @TempDir
    Path directory;

    private NacosRegistry registry(NacosServer server, String user, String password) {
        return registry(server, user, password, null, null);
    }

    private NacosRegistry registry(
            NacosServer server, String user, String password, String accessKey, String secretKey) {
        return new NacosRegistry(
                new NacosRegistry.Target(
                        server.serverAddr(),
                        "",
                        "TXN",
                        "txn-coordinator",
                        "DEFAULT",
                        user,
                        password,
                        accessKey,
                        secretKey),
                directory.resolve("cache"));
    }

    @Test
    void passwordsAndKeysAreShownAndRefusedOnesAreSaidByTheCoordinatorByTheApplicationAndByItsDoctor()
            throws Exception {
        try (NacosServer server = NacosServer.start(directory.resolve("nacos"), "txn", "secret")) {
            NacosRegistry refused = registry(server, "txn", "wrong");
            Throwable said = catchThrowable(() -> refused.join(Advertised.of("127.0.0.1:8091", Map.of())));
            refused.close();
            assertThat(said).hasMessageContaining("refuses the user, the password, the keys or the right to write");

            NacosRegistry registry = registry(server, "txn", "secret");
            registry.join(Advertised.of("127.0.0.1:8091", Map.of()));
            NacosSettings settings = NacosSettings.of(server.serverAddr()).withGroup("TXN");
            for (NacosSettings wrong : new NacosSettings[] {settings, settings.withUser("txn", "wrong")}) {
                try (NacosLocator locator = NacosLocator.start(wrong)) {
                    Await.untilPasses("said", MAX, () -> assertThat(locator.description())
                            .contains("it refuses the user, the password, the keys or the right to read"));
                    assertThat(locator.examine()).singleElement().satisfies(told -> {
                        assertThat(told.passed()).isFalse();
                        assertThat(told.kind()).isEqualTo(LookupStep.Kind.CREDENTIALS);
                        assertThat(told.seen()).doesNotContain("wrong", "secret");
                    });
                }
            }
            try (NacosLocator locator = NacosLocator.start(settings.withUser("txn", "secret"))) {
                Await.untilPasses("found", MAX, () -> assertThat(locator.current())
                        .containsExactly(new HostPort("127.0.0.1", 8091)));
            }
            registry.leave();
            registry.close();
            withKeys(server, settings);
        }
    }

    /** The server verifies what is signed with them. */
    private void withKeys(NacosServer server, NacosSettings settings) throws Exception {
        NacosRegistry refused = registry(server, null, null, "txn", "wrong");
        Throwable said = catchThrowable(() -> refused.join(Advertised.of("127.0.0.1:8092", Map.of())));
        refused.close();
        assertThat(said).hasMessageContaining("refuses the user, the password, the keys or the right to write");

        NacosRegistry registry = registry(server, null, null, "txn", "secret");
        registry.join(Advertised.of("127.0.0.1:8092", Map.of()));
        try (NacosLocator stranger = NacosLocator.start(settings.withKeys("txn", "wrong"));
                NacosLocator locator = NacosLocator.start(settings.withKeys("txn", "secret"))) {
            Await.untilPasses(
                    "found", MAX, () -> assertThat(locator.current()).containsExactly(new HostPort("127.0.0.1", 8092)));
            Await.untilPasses("said", MAX, () -> assertThat(stranger.description())
                    .contains("it refuses the user, the password, the keys or the right to read"));
        }
        registry.leave();
        registry.close();
    }
}
