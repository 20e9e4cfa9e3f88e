package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.DefaultEventLoop;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What one thread sends on many connections at a time. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class OutboxTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    /** An event loop that counts how often it is woken. */
    private static final class CountedLoop extends DefaultEventLoop {
        final AtomicInteger handedOver = new AtomicInteger();

        @Override
        public void execute(Runnable task) {
            handedOver.incrementAndGet();
            super.execute(task);
        }
    }

    /** Keeps what it is asked, to be answered by the test's thread through its outbox. */
    private static final class Keeper implements RpcHandler {
        final Outbox outbox = new Outbox();
        final BlockingQueue<Asked> asked = new LinkedBlockingQueue<>();

        record Asked(RpcConnection connection, Frame frame) {
            void answer(String xid) {
                connection.respond(frame, new Message.GlobalBeginResponse(Outcome.SUCCESS, xid, null));
            }
        }

        @Override
        public void received(RpcConnection connection, Frame frame) {
            asked.add(new Asked(connection, frame));
        }

        @Override
        public Outbox outbox() {
            return outbox;
        }

        Asked next() throws InterruptedException {
            Asked next = asked.poll(30, TimeUnit.SECONDS);
            assertThat(next).isNotNull();
            return next;
        }
    }

    @Test
    void eachEventLoopIsWokenOnceAndKeepsTheOrder() throws Exception {
        Outbox outbox = new Outbox();
        CountedLoop one = new CountedLoop();
        CountedLoop two = new CountedLoop();
        List<Integer> ofOne = new ArrayList<>();
        List<Integer> ofTwo = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(200);
        try {
            outbox.gather(() -> {
                for (int i = 0; i < 200; i++) {
                    int number = i;
                    outbox.add(
                            i % 2 == 0 ? one : two,
                            new Outbox.Task(
                                    () -> {
                                        (number % 2 == 0 ? ofOne : ofTwo).add(number);
                                        done.countDown();
                                    },
                                    () -> {}));
                }
                assertThat(one.handedOver).hasValue(0);
            });
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(one.handedOver).hasValue(1);
            assertThat(two.handedOver).hasValue(1);
            assertThat(ofOne)
                    .isEqualTo(IntStream.range(0, 100).mapToObj(i -> 2 * i).toList());
            assertThat(ofTwo)
                    .isEqualTo(IntStream.range(0, 100).mapToObj(i -> 2 * i + 1).toList());
            outbox.gather(() -> {});
            assertThat(one.handedOver).hasValue(1);
        } finally {
            one.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            two.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    @Test
    void gatheredAnswersLeaveInOrderAndBeforeTheirConnectionCloses() throws Exception {
        Keeper keeper = new Keeper();
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, keeper);
                RpcClient client = new RpcClient(TransportOptions.DEFAULTS)) {
            CountDownLatch closed = new CountDownLatch(1);
            RpcConnection connection = client.connect("127.0.0.1", server.port(), new RpcHandler() {
                        @Override
                        public void received(RpcConnection source, Frame frame) {}

                        @Override
                        public void closed(RpcConnection source) {
                            closed.countDown();
                        }
                    })
                    .get(30, TimeUnit.SECONDS);
            List<String> answers = new ArrayList<>();
            List<CompletableFuture<?>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                all.add(connection
                        .request(new Message.GlobalBeginRequest(1_000, "x"), Message.GlobalBeginResponse.class, LONG)
                        .thenAccept(answer -> answers.add(answer.xid())));
            }
            List<Keeper.Asked> asked = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                asked.add(keeper.next());
            }
            keeper.outbox.gather(() -> {
                for (int i = 0; i < 100; i++) {
                    asked.get(i).answer("xid " + i);
                }
                asked.get(0).connection().close();
                assertThat(all).noneMatch(CompletableFuture::isDone);
            });
            CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(30, TimeUnit.SECONDS);
            assertThat(answers)
                    .isEqualTo(IntStream.range(0, 100).mapToObj(i -> "xid " + i).toList());
            assertThat(closed.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void gatheredRequestsAreAnswered() throws Exception {
        Keeper keeper = new Keeper();
        RpcHandler service = (connection, frame) ->
                connection.respond(frame, new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.BEGIN));
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, service);
                RpcClient client = new RpcClient(TransportOptions.DEFAULTS)) {
            RpcConnection connection =
                    client.connect("127.0.0.1", server.port(), keeper).get(30, TimeUnit.SECONDS);
            List<CompletableFuture<Message>> answers = new ArrayList<>();
            keeper.outbox.gather(() -> {
                for (int i = 0; i < 10; i++) {
                    answers.add(connection.request(new Message.GlobalStatusRequest("c:1:1", null), LONG));
                }
            });
            for (CompletableFuture<Message> answer : answers) {
                assertThat(answer.get(30, TimeUnit.SECONDS)).isInstanceOf(Message.GlobalStatusResponse.class);
            }
        }
    }

    @Test
    void whatIsGatheredForAnEventLoopThatIsGoneFailsAndLeaksNothing() throws Exception {
        Keeper keeper = new Keeper();
        try (RpcServer server = RpcServer.bind("127.0.0.1", 0, TransportOptions.DEFAULTS, new Keeper())) {
            RpcClient client = new RpcClient(TransportOptions.DEFAULTS);
            RpcConnection connection;
            try (client) {
                connection = client.connect("127.0.0.1", server.port(), keeper).get(30, TimeUnit.SECONDS);
            }
            List<CompletableFuture<Message>> answers = new ArrayList<>();
            keeper.outbox.gather(() -> {
                connection.oneWay(new Message.GlobalStatusRequest("c:1:1", null));
                answers.add(connection.request(new Message.GlobalStatusRequest("c:1:1", null), LONG));
                connection.close();
            });
            assertThatThrownBy(() -> answers.get(0).get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONNECTION_LOST));
        }
    }

    @Test
    void oneThreadGathersAtATime() {
        Outbox outbox = new Outbox();
        assertThatThrownBy(() -> outbox.gather(() -> outbox.gather(() -> {})))
                .isInstanceOf(IllegalStateException.class);
        outbox.gather(() -> {});
        assertThat(outbox.isGathering()).isFalse();
    }
}
