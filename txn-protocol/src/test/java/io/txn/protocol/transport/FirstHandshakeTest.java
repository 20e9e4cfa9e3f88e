package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.txn.test.TestAuthority;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;

/** A real TLS engine in a channel without a socket, and an executor that runs its work when the test says. */
class FirstHandshakeTest {

    private static final TestAuthority AUTHORITY = new TestAuthority("ours");

    private final Queue<Runnable> work = new ArrayDeque<>();
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final FirstHandshake handshake = new FirstHandshake(channel, work::add);
    private final SSLEngine engine = TlsContext.of(
                    TestAuthority.context(AUTHORITY.issue("coordinator", "127.0.0.1"), AUTHORITY))
            .serving(ServerTls.ClientAuth.NONE);

    private void clientHello() throws Exception {
        channel.pipeline().addLast(new SslHandler(engine, handshake));
        SSLEngine client = TestAuthority.context(null, AUTHORITY).createSSLEngine();
        client.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(client.getSession().getPacketBufferSize());
        client.wrap(ByteBuffer.allocate(0), hello);
        channel.writeInbound(Unpooled.wrappedBuffer(hello.flip()));
    }

    @Test
    void whatAConnectionThatIsOpenHasToDoIsDone() throws Exception {
        clientHello();
        assertThat(work).hasSize(1);
        work.remove().run();
        channel.runPendingTasks();
        assertThat(channel.outboundMessages()).as("the server's hello").isNotEmpty();
        channel.finishAndReleaseAll();
    }

    /** A flood of greetings must not leave work behind that those who stayed have to wait for. */
    @Test
    void nothingIsDoneForAConnectionThatIsGone() throws Exception {
        clientHello();
        FirstHandshake.close(channel);
        assertThat(channel.isOpen()).as("open for seconds").isFalse();
        work.remove().run();
        assertThat(engine.getDelegatedTask()).as("it was not taken").isNotNull();
        channel.finishAndReleaseAll();
    }

    /** Not after seconds, in which the peer could fill the memory. */
    @Test
    void aSecondHandshakeEndsTheConnectionAtOnce() throws Exception {
        handshake.over();
        clientHello();
        assertThat(work).isEmpty();
        assertThat(channel.isOpen()).isFalse();
        channel.finishAndReleaseAll();
    }
}
