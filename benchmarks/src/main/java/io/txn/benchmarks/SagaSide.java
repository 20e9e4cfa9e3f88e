package io.txn.benchmarks;

import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.Message;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import io.txn.protocol.transport.RpcConnection;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Something that drives sagas of two HTTP steps, {@code a} and {@code b} of a {@link StepServer}. */
interface SagaSide {

    /** One caller's way to it: has one saga done after the other. */
    interface Caller extends AutoCloseable {

        /** Starts a saga, and returns when it is done; whatever else becomes of it is an exception. */
        void saga() throws Exception;

        @Override
        void close() throws IOException;
    }

    /** A way for the n-th caller. */
    Caller open(int n) throws Exception;

    /** What it has used so far. */
    ProcessFigures figures();

    /** Our coordinator: started and awaited over the client's connections, as the starter does. */
    record Ours(CoordinatorProcess coordinator, LightClient client, SagaPlan plan) implements SagaSide {

        private static final Duration PATIENCE = Duration.ofSeconds(60);
        private static final int SAGA_TIMEOUT = 60_000;

        Ours(CoordinatorProcess coordinator, LightClient client, String steps) {
            this(coordinator, client, new SagaPlan("load", 1, List.of(step(steps, "a"), step(steps, "b", "a")), null));
        }

        private static Step step(String steps, String name, String... after) {
            return Step.calling(
                    name,
                    new Work.Http("POST", steps + '/' + name),
                    new Work.Http("POST", steps + "/undo-" + name),
                    after);
        }

        @Override
        public Caller open(int n) {
            RpcConnection connection = client.connection(n);
            String encoded = plan.encoded();
            return new Caller() {
                @Override
                public void saga() throws Exception {
                    Map<String, String> start = new HashMap<>();
                    SagaHead.start(encoded, "{\"amount\":30}", start);
                    String xid = xid(connection
                            .request(new Message.GlobalBeginRequest(SAGA_TIMEOUT, plan.definition()), start, PATIENCE)
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
                    Map<String, String> wait = new HashMap<>();
                    SagaHead.waitFor(SagaHead.LONGEST_WAIT, wait);
                    SagaHead.Progress progress = SagaHead.progress(connection
                            .request(new Message.GlobalStatusRequest(xid, null), wait, PATIENCE)
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                            .head());
                    if (progress == null || progress.state() != SagaHead.State.DONE) {
                        throw new IllegalStateException("not done: " + progress);
                    }
                }

                @Override
                public void close() {
                    // The connection is everybody's.
                }
            };
        }

        private static String xid(Frame answer) {
            String xid = answer.body() instanceof Message.GlobalBeginResponse begun ? begun.xid() : null;
            if (xid == null) {
                throw new IllegalStateException("not started: " + answer.body());
            }
            return xid;
        }

        @Override
        public ProcessFigures figures() {
            return coordinator.figures();
        }
    }

    /**
     * A dtm server that somebody else has started: each saga is one request that is answered when the saga is done ({@code wait_result}), under an id that its client has made.
     *
     * @param base where it serves, such as {@code http://127.0.0.1:36789}
     * @param pid of its process; null: what it uses is not known
     */
    record Dtm(URI base, @Nullable Long pid, String steps, String run, AtomicLong numbers) implements SagaSide {

        Dtm(URI base, @Nullable Long pid, String steps) {
            this(base, pid, steps, UUID.randomUUID().toString(), new AtomicLong());
        }

        @Override
        public Caller open(int n) throws IOException {
            PlainHttp http = new PlainHttp(new Socket(base.getHost(), base.getPort()));
            String head = "POST /api/dtmsvr/submit HTTP/1.1\r\nHost: " + base.getHost() + ':' + base.getPort() + "\r\n";
            return new Caller() {
                @Override
                public void saga() throws IOException {
                    http.write(head, body(run + '-' + numbers.incrementAndGet()));
                    PlainHttp.Received answer = http.read();
                    if (answer == null
                            || !answer.firstLine().contains(" 200 ")
                            || !answer.body().contains("\"SUCCESS\"")) {
                        throw new IllegalStateException("not done: " + answer);
                    }
                }

                @Override
                public void close() throws IOException {
                    http.close();
                }
            };
        }

        private String body(String gid) {
            return "{\"gid\":\"" + gid + "\",\"trans_type\":\"saga\",\"wait_result\":true,\"steps\":[" + step("a") + ','
                    + step("b") + "],\"payloads\":[\"{\\\"amount\\\":30}\",\"{\\\"amount\\\":30}\"]}";
        }

        private String step(String name) {
            return "{\"action\":\"" + steps + '/' + name + "\",\"compensate\":\"" + steps + "/undo-" + name + "\"}";
        }

        @Override
        public ProcessFigures figures() {
            return pid == null ? new ProcessFigures(0, 0) : ProcessFigures.of(pid);
        }
    }
}
