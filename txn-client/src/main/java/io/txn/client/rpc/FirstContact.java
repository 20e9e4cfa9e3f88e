package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.codec.FirstFrame;
import io.txn.protocol.message.Message;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the first listed coordinator takes this process, asked over one plain socket on a thread of its own: registered, answered, closed. A start that has to fail without a coordinator
 * learns from a yes that it need not, long before event loops and all that belongs to connections are loaded. Whatever is no clear and quick yes says nothing: the connections find out, and
 * can tell why. Speaks no TLS. Thread-safe.
 */
public final class FirstContact {

    /** For connecting, and for the answer: as connections have. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Logger log = LoggerFactory.getLogger(FirstContact.class);

    private final ConnectionOptions options;
    private final InstantSource clock;
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean accepted;

    private final Runnable otherwise;

    private FirstContact(ConnectionOptions options, InstantSource clock, Runnable otherwise) {
        this.options = options;
        this.clock = clock;
        this.otherwise = otherwise;
    }

    /**
     * Begins to ask the first of these. Returns at once.
     *
     * @param otherwise what to do, on the thread that asks, when it was asked and gave no clear yes
     */
    static FirstContact begin(
            ConnectionOptions options, List<HostPort> addresses, InstantSource clock, Runnable otherwise) {
        FirstContact contact = new FirstContact(options, clock, otherwise);
        if (addresses.isEmpty() || options.tls() != null) {
            contact.over.countDown();
            return contact;
        }
        HostPort address = addresses.get(0);
        Thread thread = new Thread(() -> contact.ask(address), "txn-first-contact");
        thread.setDaemon(true);
        thread.start();
        return contact;
    }

    private void ask(HostPort address) {
        try (Socket socket = new Socket()) {
            int patience = (int) PATIENCE.toMillis();
            socket.connect(new InetSocketAddress(address.host(), address.port()), patience);
            if (options.credentials().secret() && !socket.getInetAddress().isLoopbackAddress()) {
                return; // a token does not travel where others can read it
            }
            socket.setSoTimeout(patience);
            String extraData = options.credentials()
                    .shown(options.serviceGroup(), socket.getLocalAddress().getHostAddress(), clock)
                    .text();
            socket.getOutputStream()
                    .write(FirstFrame.of(new Message.RegisterTmRequest(
                            Link.VERSION, options.applicationId(), options.serviceGroup(), extraData)));
            accepted = FirstFrame.isAccepted(socket.getInputStream());
        } catch (IOException | RuntimeException e) {
            log.debug("no first contact address={}", address, e);
        } finally {
            over.countDown();
            if (!accepted) {
                otherwise.run();
            }
        }
    }

    /** Waits until it is over, but not for long, nor longer than {@code most}; whether there was a yes. */
    public boolean accepted(Duration most) {
        // Who looks a name up can take any time.
        Duration wait = most.compareTo(PATIENCE) < 0 ? most : PATIENCE;
        try {
            if (!over.await(wait.toNanos(), TimeUnit.NANOSECONDS)) {
                return false;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return accepted;
    }
}
