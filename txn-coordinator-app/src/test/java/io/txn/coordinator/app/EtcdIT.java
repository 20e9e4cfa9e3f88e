package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.EtcdLocator;
import io.txn.client.discovery.EtcdSettings;
import io.txn.client.discovery.HostPort;
import io.txn.test.Await;
import io.txn.test.EtcdServer;
import io.txn.test.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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

    @Test
    void aCoordinatorIsListedAsLongAsItLivesAndClientsFollowItToAnotherAddress() throws Exception {
        Optional<Path> program = EtcdServer.program();
        if (program.isEmpty()) {
            System.out.println("EtcdIT did not run: there is no etcd on this machine; .ci/run fetches it on a Debian");
        }
        assumeTrue(program.isPresent(), "no etcd on this machine");
        try (EtcdServer etcd = EtcdServer.start(program.get(), directory.resolve("etcd"))) {
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
                assertThat(begin()).startsWith(old + ":");
                assertThat(elsewhere.current()).as("of another cluster").isEmpty();

                etcd.kill9();
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
