package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.Coordinator;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

/** Whatever keeps the coordinator from starting is told in words, with the key or file to look at and what to do, and without a stack trace. */
@ExtendWith(OutputCaptureExtension.class)
class RefusedStartIT {

    @TempDir
    Path directory;

    private AbstractStringAssert<?> assertRefused(CapturedOutput output, String... arguments) {
        assertThatThrownBy(() -> run(arguments)).isInstanceOf(Exception.class);
        return assertThat(output.getAll())
                .contains("APPLICATION FAILED TO START")
                .contains("Description:")
                .contains("Action:")
                .doesNotContain("\tat io.txn");
    }

    private ConfigurableApplicationContext run(String... arguments) {
        // By name, as Boot joins the values of an argument that is given twice.
        Map<String, String> all = new LinkedHashMap<>(Map.of(
                "--server.port", "0",
                "--txn.coordinator.tcp.port", "0",
                "--txn.coordinator.data-dir", directory.toString()));
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            all.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        return CoordinatorApplication.application()
                .run(all.entrySet().stream().map(Map.Entry::toString).toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({
        "--txn.coordinator.tcp.host=0.0.0.0, TXN-CRD007, txn.coordinator.tcp.host",
        "--txn.coordinator.tcp.host=nowhere.invalid, TXN-CFG001, txn.coordinator.tcp.host",
        "--txn.coordinator.retry.initiator-wait=30s, TXN-CFG001, txn.coordinator.retry.initiator-wait",
        "--txn.coordinator.limits.mailbox-size=1KB, TXN-CFG001, txn.coordinator.limits.mailbox-size",
        "--txn.coordinator.tpc.port=1, tpc, txn.coordinator.tpc.port",
        "--txn.coordinator.tcp.port=99999, TXN-CFG001, txn.coordinator.tcp.port",
        "--txn.coordinator.retry.max-delay=1ms, TXN-CFG001, txn.coordinator.retry.max-delay",
        "--txn.coordinator.clients[0].name=shop, TXN-CFG001, txn.coordinator.clients[0]",
        "'--txn.coordinator.clients[0].certificate=CN=shop,O=Ours', TXN-CFG001, distinguished name",
        "--txn.coordinator.tcp.ssl.bundle=nowhere, TXN-CFG001, nowhere",
        "--txn.coordinator.tcp.ssl.required=false, TXN-CFG001, txn.coordinator.tcp.ssl.bundle",
        "--txn.coordinator.registration-timeout=1s, registration-timeout, txn.coordinator.registration-timeout",
        "--txn.coordinator.tcp.registration-timeout=0s, TXN-CFG001, txn.coordinator.tcp.registration-timeout",
        "--txn.coordinator.journal=stone, stone, txn.coordinator.journal",
        "--txn.coordinator.data-dir=/proc/nowhere, TXN-CRD008, /proc/nowhere",
        "--txn.coordinator.advertised-address=nothing, TXN-CFG001, txn.coordinator.advertised-address",
        "--txn.coordinator.nacos.server-addr=192.0.2.1:8848, TXN-CFG001, loopback"
    })
    void aConfigurationThatCannotBeMeantIsNamed(String argument, String code, String text, CapturedOutput output) {
        assertRefused(output, argument).contains(code).contains(text);
    }

    @Test
    void theValueOfAMisspeltKeyIsNotShownForItMayBeASecret(CapturedOutput output) {
        assertRefused(output, "--txn.coordinator.clients[0].tokens=a-token-of-the-test")
                .contains("txn.coordinator.clients[0].tokens")
                .contains("no such configuration keys")
                .doesNotContain("a-token-of-the-test");
    }

    @Test
    void aTakenHttpPortIsNamedAndTheCoordinatorIsStoppedAgain(CapturedOutput output) throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertRefused(output, "--server.port=" + taken.getLocalPort())
                    .contains("Port " + taken.getLocalPort() + " was already in use");
        }
        run().close(); // the data directory is free
    }

    @Test
    void aTakenTcpPortIsNamed(CapturedOutput output) throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertRefused(output, "--txn.coordinator.tcp.port=" + taken.getLocalPort())
                    .contains("TXN-")
                    .contains(Integer.toString(taken.getLocalPort()));
        }
    }

    @Test
    void aTokenThatOthersMayReadKeepsItFromStarting(CapturedOutput output) throws Exception {
        run().close();
        Path token = directory.resolve("admin-token");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-r--r--"));
        assertRefused(output).contains("TXN-ADM008").contains(token.toString());
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        run().close();
    }

    @Test
    void anAddressThatWasGivenIsTheOneHandedOut() {
        try (ConfigurableApplicationContext context = run("--txn.coordinator.advertised-address=tc.example:1234");
                TcpApplication orders =
                        new TcpApplication(context.getBean(Coordinator.class).tcpPort(), "orders")) {
            assertThat(orders.begin("purchase")).startsWith("tc.example:1234:");
        }
    }
}
