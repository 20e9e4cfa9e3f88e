package io.txn.test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.random.RandomGenerator;

/**
 * Free TCP ports for servers that must be told their port. Taken below the range from which Linux picks the local port
 * of outgoing connections (32768 and up), so that no connection of some other test can sit on the port before the
 * server does; at random, so that two JVMs asking at the same moment hardly meet. Thread-safe.
 */
public final class Ports {

    private static final int LOWEST = 12_000;
    private static final int HIGHEST = 31_000;
    private static final int ATTEMPTS = 1_000;

    private Ports() {}

    /** A port on which nothing listens now, on no address of this machine. */
    public static int free() {
        return freeWith();
    }

    /**
     * A port p on which nothing listens now, and neither on p + offset for each offset: for servers that derive further
     * ports from the one they are told.
     */
    public static int freeWith(int... offsets) {
        RandomGenerator random = RandomGenerator.getDefault();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = random.nextInt(LOWEST, HIGHEST);
            if (isFree(port) && allFree(port, offsets)) {
                return port;
            }
        }
        throw new IllegalStateException(
                "no free port among " + ATTEMPTS + " tried between " + LOWEST + " and " + HIGHEST);
    }

    private static boolean allFree(int port, int... offsets) {
        for (int offset : offsets) {
            if (!isFree(port + offset)) {
                return false;
            }
        }
        return true;
    }

    /** Whether nothing listens on the port, neither on loopback nor on all interfaces. */
    public static boolean isFree(int port) {
        return bindable(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                && bindable(new InetSocketAddress(port));
    }

    private static boolean bindable(InetSocketAddress address) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(false);
            socket.bind(address);
            return true;
        } catch (IOException e) {
            return false; // taken: that is the answer, not a failure
        }
    }
}
