package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.mock.env.MockEnvironment;

@ExtendWith(OutputCaptureExtension.class)
class ListeningTest {

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.0.0.7", "::1", "localhost"})
    void loopbackNeedsNoPermission(String host) {
        assertThatCode(() -> Listening.check(List.of(listener(host)), false)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1"})
    void everythingElseDoes(String host) {
        assertThatThrownBy(() -> Listening.check(List.of(listener("127.0.0.1"), listener(host)), false))
                .isInstanceOfSatisfying(TxnException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.EXPOSED_WITHOUT_CREDENTIALS);
                    assertThat(e.facts()).containsEntry("key", "key of " + host);
                });
        assertThatCode(() -> Listening.check(List.of(listener(host)), true)).doesNotThrowAnyException();
    }

    @Test
    void whatATokenGuardsMayBeReachedFromElsewhereAndAWarningIsGivenWithoutTls(CapturedOutput output) {
        Listening.check(List.of(listener("127.0.0.1"), listener("192.0.2.1", Listening.Guard.TOKEN_AND_TLS)), false);
        assertThat(output.getAll()).doesNotContain("WARN");
        Listening.check(List.of(listener("127.0.0.1"), listener("192.0.2.2", Listening.Guard.TOKEN)), false);
        assertThat(output.getAll())
                .contains("server.ssl")
                .contains("key of 192.0.2.2")
                .doesNotContain("need no credentials");
    }

    @Test
    void onlyTheTcpPortNeedsToBeAllowed() throws Exception {
        ServerProperties server = new ServerProperties();
        server.setAddress(InetAddress.getByName("192.0.2.1"));
        MockEnvironment environment = new MockEnvironment()
                .withProperty("management.server.port", "7092")
                .withProperty("management.server.address", "192.0.2.1");
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        assertThatCode(() -> Listening.check(
                        CoordinatorConfiguration.listeners(loopback, Listening.Guard.NONE, server, environment), false))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> Listening.check(
                        CoordinatorConfiguration.listeners(
                                server.getAddress(), Listening.Guard.NONE, server, environment),
                        false))
                .isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.facts())
                        .containsEntry("key", "txn.coordinator.tcp.host"));
    }

    @Test
    void noAddressMeansEverywhere() {
        assertThatThrownBy(() -> Listening.check(
                        List.of(new Listening.Listener("txn.coordinator.tcp.host", null, Listening.Guard.NONE)), false))
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("all interfaces");
    }

    private static Listening.Listener listener(String host) {
        return listener(host, Listening.Guard.NONE);
    }

    private static Listening.Listener listener(String host, Listening.Guard guard) {
        return new Listening.Listener("key of " + host, Listening.resolve("k", host), guard);
    }

    @Test
    void aHostThatIsNoneIsNamedWithItsKey() {
        assertThatThrownBy(() -> Listening.resolve("txn.coordinator.tcp.host", "no such host!"))
                .isInstanceOfSatisfying(TxnException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
                    assertThat(e.facts()).containsEntry("key", "txn.coordinator.tcp.host");
                });
    }

    @Test
    void anAddressListenedOnIsTheOneHandedOut() throws Exception {
        assertThat(inferred("127.0.0.1", 8091)).isEqualTo("127.0.0.1:8091");
        assertThat(inferred("::1", 8091)).isEqualTo("[0:0:0:0:0:0:0:1]:8091");
        assertThat(inferred("192.0.2.1", 8091)).isEqualTo("192.0.2.1:8091");
        assertThat(Listening.inferAdvertisedAddress("tc.example", InetAddress.getByName("192.0.2.1"), 8091))
                .isEqualTo("tc.example:8091");
        assertThat(inferred("127.0.0.1", 0)).isNull();
    }

    @Test
    void aNameForLoopbackIsHandedOutAsTheAddress() throws Exception {
        assertThat(Listening.inferAdvertisedAddress("localhost", InetAddress.getByName("127.0.0.1"), 8091))
                .isEqualTo("127.0.0.1:8091");
    }

    private static String inferred(String host, int port) throws Exception {
        return Listening.inferAdvertisedAddress(host, InetAddress.getByName(host), port);
    }

    @Test
    void forAllInterfacesOneThatIsUpIsChosenOrTheKeyIsAskedFor() throws Exception {
        InetAddress all = InetAddress.getByName("0.0.0.0");
        boolean connected = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .anyMatch(address -> address instanceof java.net.Inet4Address
                        && !address.isLoopbackAddress()
                        && !address.isLinkLocalAddress());
        if (connected) {
            String inferred = Listening.inferAdvertisedAddress("0.0.0.0", all, 8091);
            assertThat(inferred).endsWith(":8091");
            InetAddress address = InetAddress.getByName(inferred.substring(0, inferred.lastIndexOf(':')));
            assertThat(address.isLoopbackAddress() || address.isAnyLocalAddress())
                    .isFalse();
            assertThat(NetworkInterface.getByInetAddress(address)).isNotNull();
        } else {
            assertThatThrownBy(() -> Listening.inferAdvertisedAddress("0.0.0.0", all, 8091))
                    .hasMessageContaining("txn.coordinator.advertised-address");
        }
        assertThatThrownBy(() -> Listening.inferAdvertisedAddress("0.0.0.0", all, 0))
                .hasMessageContaining("txn.coordinator.advertised-address");
    }
}
