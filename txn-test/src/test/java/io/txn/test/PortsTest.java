package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class PortsTest {

    @Test
    void aFreePortCanBeBoundAndIsThenNoLongerFree() throws Exception {
        int port = Ports.free();
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(Ports.isFree(socket.getLocalPort())).isFalse();
        }
    }

    @Test
    void derivedPortsAreFreeToo() {
        int port = Ports.freeWith(1000, 1001, -1000);
        assertThat(Ports.isFree(port)).isTrue();
        assertThat(Ports.isFree(port + 1000)).isTrue();
        assertThat(Ports.isFree(port + 1001)).isTrue();
        assertThat(Ports.isFree(port - 1000)).isTrue();
    }
}
