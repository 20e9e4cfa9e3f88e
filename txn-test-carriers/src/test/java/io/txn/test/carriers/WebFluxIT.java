package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Participation;
import io.txn.client.Propagation;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.propagation.ReactiveContexts;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.reactive.context.ReactiveWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.NonBlocking;
import reactor.core.scheduler.Schedulers;

/** WebFlux on Reactor Netty, called by WebClient: the transaction stands in Reactor's context, in, through and out, and on no thread of the event loop. */
@Timeout(240)
class WebFluxIT {

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final Set<String> BOUND_ON_EVENT_LOOPS = ConcurrentHashMap.newKeySet();
    private static final AtomicInteger SLOW = new AtomicInteger();
    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static ReactiveWebServerApplicationContext application;

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        application = (ReactiveWebServerApplicationContext) TheCoordinator.run(
                Shop.class,
                WebApplicationType.REACTIVE,
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
    }

    @AfterAll
    static void stop() {
        goOn.countDown();
        application.close();
        assertThat(BOUND_ON_EVENT_LOOPS).isEmpty();
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + application.getWebServer().getPort() + path;
    }

    private static WebClient client() {
        return application.getBean(Shopping.class).client();
    }

    private static Shopping shopping() {
        return application.getBean(Shopping.class);
    }

    private static String post(String path) {
        return client().post()
                .uri(url(path))
                .retrieve()
                .bodyToMono(String.class)
                .block(LONG);
    }

    private static <T> T global(String name, GlobalTransactionTemplate.Callback<T> work) throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(LONG), work);
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    private static void assertRolledBackOnly(Throwable thrown, String name, String entry) {
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining(entry);
        assertThat(ended(name).cause()).contains(entry);
        assertThat(taken(name)).isZero();
    }

    // In

    @Test
    void theXidArrivesInTheContextOfTheChainAndWhatWasDoneIsUndoneWithIt() {
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global("flux-undone", () -> {
                    String own = application
                            .getBean(ContextCarrier.class)
                            .current()
                            .xid()
                            .value();
                    assertThat(post("/take/flux-undone")).isEqualTo(own + " PARTICIPANT");
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(ended("flux-undone").state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken("flux-undone")).isZero();
        assertThat(post("/take/flux-outside")).isEqualTo("none");
    }

    @Test
    void itGoesOnToTheNextServiceFromAChainWithoutAThreadOfItsOwn() throws Throwable {
        String own = global("flux-chain", () -> {
            String answer = post("/pass-on/flux-chain");
            assertThat(answer)
                    .isEqualTo(
                            application.getBean(ContextCarrier.class).current().xid() + " PARTICIPANT");
            return answer;
        });
        assertThat(own).isNotEqualTo("none");
        assertThat(ended("flux-chain").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("flux-chain")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fails", "throws"})
    void anAdviceThatAnswersWellDoesNotTurnARollbackIntoACommit(String how) {
        String name = "flux-advice-" + how;
        Throwable thrown = catchThrowable(() -> global(name, () -> {
            assertThat(post("/half/" + how + "/polite/" + name)).isEqualTo("sorry");
            return "";
        }));
        assertRolledBackOnly(thrown, name, "Stock.half");
    }

    @Test
    void aFailureThatNobodyAnswersMarksTooUnlessNothingWasKept() throws Throwable {
        assertRolledBackOnly(
                catchThrowable(() -> global("flux-rude", () -> {
                    catchThrowable(() -> post("/half/fails/rude/flux-rude"));
                    return "";
                })),
                "flux-rude",
                "Stock.half");
        global("flux-nothing", () -> {
            catchThrowable(() -> post("/nothing"));
            return post("/take/flux-nothing");
        });
        assertThat(ended("flux-nothing").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("flux-nothing")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"handed-over", "zipped"})
    void aFailureMarksAlsoWhenWhatGoesOnBesidesIsKeptAfterIt(String how) {
        goOn = new CountDownLatch(1);
        String name = "flux-behind-" + how;
        Throwable thrown = catchThrowable(() -> global(name, () -> {
            assertThat(post("/behind/" + how + "/" + name)).isEqualTo("sorry");
            return "";
        }));
        assertRolledBackOnly(thrown, name, "the second half failed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"child", "child-stream", "child-events"})
    void theEndOfTheAnswerWaitsForWhatWasHandedOver(String how) throws Exception {
        goOn = new CountDownLatch(1);
        int before = SLOW.get();
        String name = "flux-" + how;
        Thread commits = new Thread(() -> catchThrowable(() -> global(name, () -> post("/" + how + "/" + name))));
        commits.start();
        Await.until("the child is at work", LONG, () -> SLOW.get() == before + 1);
        commits.join(300);
        assertThat(commits.isAlive()).isTrue();
        goOn.countDown();
        commits.join(LONG.toMillis());
        assertThat(ended(name).state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken(name)).isEqualTo(1);
    }

    /** It is handed over when somebody subscribes, also while no thread is free for it. */
    @Test
    void whatNoThreadHasTakenYetIsWaitedForUnlessItIsCancelled() throws Throwable {
        int threads = Schedulers.DEFAULT_BOUNDED_ELASTIC_SIZE;
        CountDownLatch busy = new CountDownLatch(threads);
        CountDownLatch free = new CountDownLatch(1);
        for (int i = 0; i < threads; i++) {
            Schedulers.boundedElastic().schedule(() -> {
                busy.countDown();
                try {
                    free.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        assertThat(busy.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        ReactiveContexts reactive = application.getBean(ReactiveContexts.class);
        JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
        Disposable[] late = new Disposable[1];
        try {
            global("flux-late", () -> {
                Participation here =
                        application.getBean(ContextCarrier.class).current().participation();
                Mono<Integer> insert =
                        reactive.blocking(() -> jdbc.update("INSERT INTO taken (text) VALUES (?)", "flux-late"));
                assertThat(here.hasChildren()).as("nobody has subscribed").isFalse();
                insert.subscribe().dispose();
                assertThat(here.hasChildren()).as("cancelled").isFalse();
                late[0] = insert.subscribe();
                assertThat(here.hasChildren()).isTrue();
                free.countDown();
                return "";
            });
        } finally {
            free.countDown();
        }
        assertThat(ended("flux-late").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("flux-late")).as("the one that was not cancelled").isEqualTo(1);
        Await.until("its subscriber has heard of it", LONG, () -> late[0].isDisposed());
    }

    @Test
    void aMarkFromFurtherDownIsToldBeforeTheAnswer() {
        goOn = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> global("flux-below", () -> {
            assertThat(post("/below")).isEqualTo("fallback");
            // While it is open, so that a caller that reads no headers is stopped as well.
            return assertThat(TheCoordinator.transaction("flux-below").cause())
                    .contains("no answer to POST 127.0.0.1/slow");
        }));
        goOn.countDown();
        assertRolledBackOnly(thrown, "flux-below", "no answer to POST 127.0.0.1/slow");
    }

    @Test
    void ofABodyThatIsWrittenWhileTheWorkGoesOnTheHeadersDoNotSayThatNothingWasKept() throws Throwable {
        global("flux-stream", () -> {
            String xid =
                    application.getBean(ContextCarrier.class).current().xid().value();
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(url("/stream/whole/flux-stream")))
                                    .header("TX_XID", xid)
                                    .POST(HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.body()).contains("first").contains("second");
            return assertThat(answer.headers().firstValue("TX_WORK").orElse("may have"))
                    .isNotEqualTo("0");
        });
        assertThat(taken("flux-stream")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/stream/half/flux-stream-half", "/route/flux-route"})
    void aFailureAfterTheHeadersHaveLeftAndOneOfARouterFunctionMark(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        assertRolledBackOnly(
                catchThrowable(() -> global(name, () -> catchThrowable(() -> post(path)))),
                name,
                "the second half failed");
    }

    // Out

    @Test
    void aCallThatTheChainGaveUpMarksUnlessItOnlyReads() throws Throwable {
        goOn = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> global("flux-gave-up", () -> client().post()
                .uri(url("/slow"))
                .retrieve()
                .bodyToMono(String.class)
                .timeout(Duration.ofMillis(300))
                .onErrorReturn("fallback")
                .block(LONG)));
        assertThat(thrown).hasMessageContaining("no answer to POST 127.0.0.1/slow");
        global("flux-gave-up-reading", () -> client().get()
                .uri(url("/slow"))
                .retrieve()
                .bodyToMono(String.class)
                .timeout(Duration.ofMillis(300))
                .onErrorReturn("fallback")
                .block(LONG));
        goOn.countDown();
        assertThat(ended("flux-gave-up-reading").state()).isEqualTo(TransactionState.COMMITTED);
    }

    // @GlobalTransactional on methods that return publishers

    @Test
    void aMonoIsCommittedBeforeItsValueIsSeen() {
        String xid = shopping().buy("mono").block(LONG);
        assertThat(TheCoordinator.transaction("mono-buy").state())
                .as("decided by then")
                .isNotEqualTo(TransactionState.ACTIVE);
        assertThat(ended("mono-buy").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(ended("mono-buy").xid().value()).isEqualTo(xid);
        assertThat(taken("mono")).isEqualTo(2);
    }

    @Test
    void itBeginsWhenSomebodySubscribesAndAgainForTheNext() {
        Mono<String> cold = shopping().again("again");
        assertThat(TheCoordinator.transactions()).noneMatch(one -> one.name().equals("mono-again"));
        assertThat(cold.block(LONG)).isNotEqualTo(cold.block(LONG));
        assertThat(TheCoordinator.transactions())
                .filteredOn(one -> one.name().equals("mono-again"))
                .hasSize(2);
        assertThat(taken("again")).isEqualTo(2);
    }

    @Test
    void anErrorRollsBackAndIsSeenAsItIs() {
        assertThat(catchThrowable(() -> shopping().fail("mono-error").block(LONG)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("too late");
        assertThat(ended("mono-fail").state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(ended("mono-fail").cause()).contains("too late");
        assertThat(taken("mono-error")).isZero();
    }

    @Test
    void cancellingRollsBack() {
        int before = SLOW.get();
        goOn = new CountDownLatch(1);
        Disposable subscription = shopping().cancelled("mono-cancel").subscribe();
        Await.until("the second half waits", LONG, () -> SLOW.get() == before + 1);
        subscription.dispose();
        assertThat(ended("mono-cancelled").state()).isEqualTo(TransactionState.ROLLED_BACK);
        goOn.countDown();
        assertThat(taken("mono-cancel")).isZero();
    }

    @Test
    void whatNeverEndsIsCancelledAtTheDeadline() {
        assertThat(catchThrowable(() -> shopping().never().block(LONG)))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT));
        // It did nothing, so the coordinator never heard of it.
        assertThat(TheCoordinator.transactions()).noneMatch(one -> one.name().equals("mono-never"));
    }

    @Test
    void aFluxCompletesAfterItsCommitAndKeepsWhatItsSubscriberAskedFor() {
        List<String> xids = shopping().buyMany("flux", 40).collectList().block(LONG);
        assertThat(xids).hasSize(40).containsOnly(ended("flux-many").xid().value());
        assertThat(TheCoordinator.transaction("flux-many").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("flux")).isEqualTo(40);
    }

    @Test
    void aMethodWithinJoinsAndAnEmptyMonoIsAResult() {
        assertThat(shopping().outer("outer").blockOptional(LONG)).isEmpty();
        assertThat(ended("mono-outer").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(TheCoordinator.transactions()).noneMatch(one -> one.name().equals("mono-inner"));
        assertThat(taken("outer")).isEqualTo(1);
    }

    @Test
    void aThousandNestedOnesAtOnceFinish() {
        assertThat(Flux.range(0, 1_000)
                        .flatMap(one -> shopping().nested(inner -> inner.joined()), 1_000)
                        .timeout(LONG)
                        .collectList()
                        .block(LONG))
                .hasSize(1_000)
                .doesNotContain("none")
                .doesNotHaveDuplicates();
        // With one of their own in each, as many as there are threads.
        assertThat(Flux.range(0, 600)
                        .flatMap(one -> shopping().nested(inner -> inner.own()), 600)
                        .timeout(LONG)
                        .collectList()
                        .block(LONG))
                .hasSize(600)
                .doesNotHaveDuplicates();
    }

    @Test
    void aJoinedMethodThatFailsOrIsCancelledMarksWhoeverCatchesIt() {
        for (String how : List.of("fails", "is-cancelled")) {
            assertThat(catchThrowable(
                            () -> shopping().swallowing("joined-" + how).block(LONG)))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                    .hasMessageContaining("mono-joined");
        }
    }

    @Test
    void aHandlerOfWebFluxMayBegin() {
        assertThat(client().post()
                        .uri(url("/begin/begun"))
                        .retrieve()
                        .bodyToMono(String.class)
                        .block(LONG))
                .isNotEqualTo("none");
        assertThat(ended("mono-begun").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("begun")).isEqualTo(2);
    }

    @Service
    static class Shopping {

        private final WebClient client;
        private final ReactiveContexts contexts;
        private final JdbcTemplate jdbc;
        private final Inner inner;

        Shopping(WebClient.Builder client, ReactiveContexts contexts, JdbcTemplate jdbc, Inner inner) {
            this.client = client.build();
            this.contexts = contexts;
            this.jdbc = jdbc;
            this.inner = inner;
        }

        public WebClient client() {
            return client;
        }

        private Mono<Integer> insert(String text) {
            return contexts.blocking(() -> jdbc.update("INSERT INTO taken (text) VALUES (?)", text));
        }

        private Mono<String> xid() {
            return Mono.deferContextual(
                    view -> Mono.just(contexts.of(view).xid().value()));
        }

        /** A row here, and one of the service, called from an event loop's thread. */
        private Mono<String> both(String text) {
            return client.get()
                    .uri(url("/look"))
                    .retrieve()
                    .bodyToMono(String.class)
                    .flatMap(looked ->
                            client.post().uri(url("/take/" + text)).retrieve().bodyToMono(String.class))
                    .then(insert(text))
                    .then(xid());
        }

        @GlobalTransactional(name = "mono-buy")
        public Mono<String> buy(String text) {
            return both(text);
        }

        @GlobalTransactional(name = "mono-begun")
        public Mono<String> begun(String text) {
            return both(text);
        }

        @GlobalTransactional(name = "mono-again")
        public Mono<String> again(String text) {
            return insert(text).then(xid());
        }

        @GlobalTransactional(name = "mono-fail")
        public Mono<String> fail(String text) {
            return both(text).then(Mono.error(new UnsupportedOperationException("too late")));
        }

        @GlobalTransactional(name = "mono-cancelled")
        public Mono<String> cancelled(String text) {
            return insert(text).then(client.post().uri(url("/slow")).retrieve().bodyToMono(String.class));
        }

        @GlobalTransactional(name = "mono-never", timeout = "1s")
        public Mono<String> never() {
            return Mono.never();
        }

        @GlobalTransactional(name = "flux-many")
        public Flux<String> buyMany(String text, int count) {
            return Flux.range(0, count).concatMap(one -> insert(text).then(xid()));
        }

        @GlobalTransactional(name = "mono-nested", timeout = "60s")
        public Mono<String> nested(Function<Inner, Mono<String>> what) {
            return Mono.delay(Duration.ofMillis(20)).then(what.apply(inner));
        }

        @GlobalTransactional(name = "mono-swallowing")
        public Mono<String> swallowing(String how) {
            return how.endsWith("fails")
                    ? inner.fails().onErrorReturn("swallowed")
                    : inner.never().timeout(Duration.ofMillis(200), Mono.just("swallowed"));
        }

        @GlobalTransactional(name = "mono-outer")
        public Mono<Void> outer(String text) {
            return inner.insert(text);
        }
    }

    @Service
    static class Inner {

        private final ReactiveContexts contexts;
        private final JdbcTemplate jdbc;

        Inner(ReactiveContexts contexts, JdbcTemplate jdbc) {
            this.contexts = contexts;
            this.jdbc = jdbc;
        }

        private Mono<String> xid() {
            return Mono.delay(Duration.ofMillis(20)).then(Mono.deferContextual(view -> {
                TransactionContext context = contexts.of(view);
                return Mono.just(context == null ? "none" : context.xidWithin().value());
            }));
        }

        @GlobalTransactional(name = "mono-joined")
        public Mono<String> joined() {
            return xid();
        }

        @GlobalTransactional(name = "mono-own", propagation = Propagation.REQUIRES_NEW)
        public Mono<String> own() {
            return xid();
        }

        @GlobalTransactional(name = "mono-joined-fails")
        public Mono<String> fails() {
            return xid().then(Mono.error(new IllegalStateException("caught")));
        }

        @GlobalTransactional(name = "mono-joined-never")
        public Mono<String> never() {
            return Mono.never();
        }

        @GlobalTransactional(name = "mono-inner")
        public Mono<Void> insert(String text) {
            return contexts.blocking(() -> jdbc.update("INSERT INTO taken (text) VALUES (?)", text))
                    .then();
        }
    }

    @RestController
    static class Stock {

        private final ReactiveContexts contexts;
        private final ContextCarrier carrier;
        private final JdbcTemplate jdbc;
        private final Shopping shopping;

        Stock(ReactiveContexts contexts, ContextCarrier carrier, JdbcTemplate jdbc, Shopping shopping) {
            this.contexts = contexts;
            this.carrier = carrier;
            this.jdbc = jdbc;
            this.shopping = shopping;
        }

        private Mono<Integer> insert(String text) {
            return contexts.blocking(() -> jdbc.update("INSERT INTO taken (text) VALUES (?)", text));
        }

        private Mono<String> who() {
            return Mono.deferContextual(view -> {
                look();
                TransactionContext context = contexts.of(view);
                return Mono.just(context == null ? "none" : context.xid() + " " + context.role());
            });
        }

        /** What event loops have bound. */
        private void look() {
            if (Thread.currentThread() instanceof NonBlocking && carrier.current() != null) {
                BOUND_ON_EVENT_LOOPS.add(Thread.currentThread().getName());
            }
        }

        @GetMapping("/look")
        Mono<String> looks() {
            look();
            return who();
        }

        @PostMapping("/take/{text}")
        Mono<String> take(@PathVariable String text) {
            look();
            return insert(text).then(who());
        }

        @PostMapping("/pass-on/{text}")
        Mono<String> passOn(@PathVariable String text) {
            return shopping.client().post().uri(url("/take/" + text)).retrieve().bodyToMono(String.class);
        }

        @PostMapping("/begin/{text}")
        Mono<String> begin(@PathVariable String text) {
            return shopping.begun(text);
        }

        @PostMapping("/half/{how}/{manner}/{text}")
        Mono<String> half(@PathVariable String how, @PathVariable String manner, @PathVariable String text) {
            RuntimeException failure = manner.equals("polite")
                    ? new IllegalArgumentException("the second half failed")
                    : new IllegalStateException("the second half failed");
            if (how.equals("fails")) {
                return insert(text).then(Mono.error(failure));
            }
            throw failure;
        }

        private Runnable child(String text) {
            return () -> {
                SLOW.incrementAndGet();
                try {
                    if (!goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                        throw new AssertionError("nobody let it go on");
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            };
        }

        /** Hands work over, and does not wait for it. */
        private Mono<String> handsOver(String text) {
            return contexts.blocking(() -> {
                carrier.wrap(task -> new Thread(task).start()).execute(child(text));
                return "handed over";
            });
        }

        /** Fails while something goes on, which is kept when the failure has been answered. */
        @PostMapping("/behind/{how}/{text}")
        Mono<String> behind(@PathVariable String how, @PathVariable String text) {
            RuntimeException failure = new IllegalArgumentException("the second half failed");
            if (how.equals("handed-over")) {
                return handsOver(text).then(Mono.error(failure));
            }
            CountDownLatch atWork = new CountDownLatch(1);
            Mono<Integer> first = contexts.blocking(() -> {
                atWork.countDown();
                awaitWhateverInterrupts(goOn);
                return jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            });
            Mono<Integer> second = contexts.blocking(() -> {
                awaitWhateverInterrupts(atWork);
                throw failure;
            });
            return Mono.zip(first, second).thenReturn("done");
        }

        /** As JDBC does: whoever cancels a chain interrupts what blocks in it. */
        private static void awaitWhateverInterrupts(CountDownLatch latch) {
            while (latch.getCount() > 0) {
                try {
                    if (!latch.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                        throw new AssertionError("nobody let it go on");
                    }
                } catch (InterruptedException goesOn) {
                    // the work cannot be stopped any more
                }
            }
        }

        @PostMapping("/child/{text}")
        Mono<String> child1(@PathVariable String text) {
            return handsOver(text);
        }

        @PostMapping("/child-stream/{text}")
        Flux<String> child2(@PathVariable String text) {
            return handsOver(text).concatWith(Mono.just("and more"));
        }

        @PostMapping(path = "/child-events/{text}", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
        Flux<String> child3(@PathVariable String text) {
            return handsOver(text).concatWith(Mono.just("and more"));
        }

        @PostMapping("/below")
        Mono<String> below() {
            return shopping.client()
                    .post()
                    .uri(url("/slow"))
                    .retrieve()
                    .bodyToMono(String.class)
                    .timeout(Duration.ofMillis(300))
                    .onErrorReturn("fallback");
        }

        @PostMapping("/stream/{how}/{text}")
        Flux<String> stream(@PathVariable String how, @PathVariable String text) {
            return Flux.concat(
                    Mono.just("first"),
                    insert(text).map(count -> "second"),
                    how.equals("half")
                            ? Mono.error(new IllegalStateException("the second half failed"))
                            : Mono.just("third"));
        }

        @PostMapping("/nothing")
        Mono<String> nothing() {
            throw new IllegalStateException("before anything was written");
        }

        @GetMapping("/slow")
        Mono<String> slowToRead() {
            return slow();
        }

        @PostMapping("/slow")
        Mono<String> slow() {
            return contexts.blocking(() -> {
                SLOW.incrementAndGet();
                return Boolean.toString(goOn.await(LONG.toSeconds(), TimeUnit.SECONDS));
            });
        }
    }

    /** Keeps something before the handler is called. */
    @Component
    static class Audit implements WebFilter {

        private final ReactiveContexts contexts;
        private final JdbcTemplate jdbc;

        Audit(ReactiveContexts contexts, JdbcTemplate jdbc) {
            this.contexts = contexts;
            this.jdbc = jdbc;
        }

        @Override
        public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
            String path = exchange.getRequest().getPath().value();
            return path.contains("/throws/")
                    ? contexts.blocking(() -> jdbc.update(
                                    "INSERT INTO taken (text) VALUES (?)", path.substring(path.lastIndexOf('/') + 1)))
                            .then(chain.filter(exchange))
                    : chain.filter(exchange);
        }
    }

    @RestControllerAdvice
    static class Advice {

        @ExceptionHandler
        @ResponseStatus(HttpStatus.OK)
        String sorry(IllegalArgumentException failure) {
            goOn.countDown();
            return "sorry";
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Shopping.class, Inner.class, Stock.class, Audit.class, Advice.class})
    static class Shop {

        @Bean
        RouterFunction<ServerResponse> route(Stock stock) {
            return RouterFunctions.route()
                    .POST("/route/{text}", request -> stock.insert(request.pathVariable("text"))
                            .then(Mono.error(new IllegalStateException("the second half failed"))))
                    .build();
        }
    }
}
