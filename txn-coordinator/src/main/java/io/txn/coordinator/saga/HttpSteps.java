package io.txn.coordinator.saga;

import io.txn.coordinator.engine.BranchCaller;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.StepCall;
import io.txn.protocol.LogText;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.JsonText;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Work;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Calls the steps of sagas that are HTTP endpoints, and leaves all other calls to somebody else. How many are under way is bounded by the engine's lanes; each has the time of its policy, body included, and what it answers
 * is read as far as a result may be long, a failure as far as it is shown. No redirect is followed, no proxy used, no cookie kept. Thread-safe.
 *
 * <p>2xx is done, its body the result. 425, and 202 with {@code Txn-Ongoing}, is ongoing. 408, 423 and 429, everything that is neither 2xx nor 4xx, and no answer: again later. Any other 4xx, 409 first of all, is refused.
 */
public final class HttpSteps implements BranchCaller, AutoCloseable {

    /** How many characters of a failure are shown to people. */
    private static final int MOST_OF_A_FAILURE = 200;

    /** What is read of a body that is no result, in bytes: all that is shown, whatever its characters. */
    private static final int READ_OF_A_FAILURE = 4 * MOST_OF_A_FAILURE;

    private static final int THREADS = 8;

    /** When somebody says "ongoing" and nothing more. */
    private static final long ASK_AGAIN = 1_000;

    private static final String ONGOING = "Txn-Ongoing";

    private final BranchCaller others;
    private final HttpTargets targets;
    private final StepKeys keys;
    private final Duration callTimeout;
    private final ExecutorService executor;
    private final HttpClient client;

    /**
     * @param keys with which those who are called may complete their steps later
     * @param callTimeout of steps that do not say
     * @param connectTimeout no connection takes longer
     */
    public HttpSteps(
            BranchCaller others, HttpTargets targets, StepKeys keys, Duration callTimeout, Duration connectTimeout) {
        this.keys = keys;
        this.others = others;
        this.targets = targets;
        this.callTimeout = callTimeout;
        this.executor = Executors.newFixedThreadPool(THREADS, work -> {
            Thread thread = new Thread(work, "txn-saga-http");
            thread.setDaemon(true);
            return thread;
        });
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(connectTimeout)
                .executor(executor)
                .build();
    }

    @Override
    public void call(Effect.CallBranch call, CallEnd end) {
        StepCall step = call.step();
        if (step == null || !(step.work() instanceof Work.Http http)) {
            others.call(call, end);
            return;
        }
        if (!targets.allows(http.url())) {
            end.ended(Answer.RETRYABLE, http.url() + " is not below one of txn.coordinator.saga.http.targets");
            return;
        }
        long own = step.policy().callTimeout();
        Duration timeout = own == 0 ? callTimeout : Duration.ofMillis(own);
        CompletableFuture<HttpResponse<byte[]>> exchange = client.sendAsync(
                request(call, step, http, timeout),
                info -> isDone(info.statusCode())
                                && info.headers().firstValue(ONGOING).isEmpty()
                        ? new Bounded(SagaPlan.LONGEST_RESULT, true)
                        : new Bounded(READ_OF_A_FAILURE, false));
        exchange.copy().orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS).whenComplete((response, failure) -> {
            if (failure != null) {
                exchange.cancel(true);
                Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
                end.ended(Answer.UNREACHABLE, text(http, cause.toString()));
            } else {
                answered(http, response, end);
            }
        });
    }

    private HttpRequest request(Effect.CallBranch call, StepCall step, Work.Http http, Duration timeout) {
        String xid = Xid.of(call.address(), call.transaction()).value();
        SagaHead.Called called = step.called();
        String word = step.compensate() ? "compensate" : "action";
        String correlationId = xid + "/" + call.branch();
        HttpRequest.BodyPublisher body = http.method().equals("GET")
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(step.given());
        return HttpRequest.newBuilder(URI.create(http.url()))
                .method(http.method(), body)
                .timeout(timeout)
                .header("Content-Type", "application/json")
                .header("Accept", "application/json")
                .header("Txn-Xid", xid)
                .header("Txn-Branch-Id", Long.toString(call.branch()))
                .header("Txn-Correlation-Id", correlationId)
                .header("Txn-Step-Key", keys.key(correlationId))
                .header("Txn-Definition", called.definition())
                .header("Txn-Step", called.step())
                .header("Txn-Call", word)
                .header("Txn-Attempt", Integer.toString(called.attempt()))
                .header("Idempotency-Key", correlationId + "/" + word)
                .build();
    }

    private static void answered(Work.Http http, HttpResponse<byte[]> response, CallEnd end) {
        int status = response.statusCode();
        String body = new String(response.body(), StandardCharsets.UTF_8);
        String ongoing = response.headers().firstValue(ONGOING).orElse(null);
        if (status == 425 || (status == 202 && ongoing != null)) {
            boolean says = ongoing != null && ongoing.matches("[0-9]{1,12}");
            long millis = says ? Long.parseLong(ongoing) : ASK_AGAIN;
            end.said(Answer.DONE, null, new SagaHead.Said(null, millis));
        } else if (isDone(status)) {
            done(http, result(body), end);
        } else {
            boolean refused = status >= 400 && status < 500 && status != 408 && status != 423 && status != 429;
            String shown = body.length() <= MOST_OF_A_FAILURE ? body : body.substring(0, MOST_OF_A_FAILURE);
            end.ended(
                    refused ? Answer.NEVER : Answer.RETRYABLE,
                    text(http, "answered " + status + (shown.isBlank() ? "" : ": " + LogText.oneLine(shown))));
        }
    }

    private static boolean isDone(int status) {
        return status >= 200 && status < 300;
    }

    /** A result is as long as it is kept and passed on: as a string of JSON it may be several times what was read. */
    private static void done(Work.Http http, @Nullable String result, CallEnd end) {
        int bytes = result == null ? 0 : JsonText.bytes(result);
        if (bytes <= SagaPlan.LONGEST_RESULT) {
            end.said(Answer.DONE, null, new SagaHead.Said(result, -1));
        } else {
            // It was done, so it is not refused: when its attempts are used up, it is compensated.
            end.ended(
                    Answer.RETRYABLE,
                    text(http, "answered " + bytes + " bytes of JSON, and may answer " + SagaPlan.LONGEST_RESULT));
        }
    }

    /** JSON as it is; whatever else as a JSON string. */
    private static @Nullable String result(String body) {
        if (body.isBlank()) {
            return null;
        }
        return JsonText.isValue(body) ? body.strip() : JsonText.quoted(body);
    }

    private static String text(Work.Http http, String what) {
        return http.target() + " " + what;
    }

    @Override
    public boolean canCall(Effect.CallBranch call) {
        StepCall step = call.step();
        return (step != null && step.work() instanceof Work.Http) || others.canCall(call);
    }

    @Override
    public void together(Runnable work) {
        others.together(work);
    }

    @Override
    public void dropUndo(Effect.DropUndo drop) {
        others.dropUndo(drop);
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    /** A body that is read so far. One that is longer is a failure, or, when not all of it is wanted, ends there. */
    private static final class Bounded implements HttpResponse.BodySubscriber<byte[]> {

        private final int most;
        private final boolean isWhole;
        private final CompletableFuture<byte[]> body = new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        Bounded(int most, boolean isWhole) {
            this.most = most;
            this.isWhole = isWhole;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return body;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            for (ByteBuffer buffer : buffers) {
                byte[] part = new byte[Math.min(buffer.remaining(), most - bytes.size())];
                buffer.get(part);
                bytes.writeBytes(part);
                if (buffer.hasRemaining()) {
                    if (subscription != null) {
                        subscription.cancel();
                    }
                    if (isWhole) {
                        body.completeExceptionally(new IOException("it answers with more than " + most + " bytes"));
                    } else {
                        body.complete(bytes.toByteArray());
                    }
                    return;
                }
            }
        }

        @Override
        public void onError(Throwable failure) {
            body.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            body.complete(bytes.toByteArray());
        }
    }
}
