package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Handlers of servlets and Spring MVC that answer from other threads. One application calls itself over a real server. */
@Timeout(240)
class AsyncIT {

    @TempDir
    static Path directory;

    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static volatile CountDownLatch running = new CountDownLatch(1);
    private static volatile CountDownLatch sorry = new CountDownLatch(1);
    private static volatile CountDownLatch timedOut = new CountDownLatch(1);
    private static ServedShop shop;

    @BeforeAll
    static void start() {
        shop = ServedShop.start(Application.class, directory);
    }

    @AfterAll
    static void stop() {
        goOn.countDown();
        shop.close();
    }

    private static void latches() {
        goOn = new CountDownLatch(1);
        running = new CountDownLatch(1);
        sorry = new CountDownLatch(1);
        timedOut = new CountDownLatch(1);
    }

    private static void global(String name, GlobalTransactionTemplate.Callback<Object> work) throws Throwable {
        shop.bean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(ServedShop.LONG), work);
    }

    private static String call(String way, String what, String text) {
        return shop.call(path(way, what, text));
    }

    /** What the answer says, seen by a client that is none of ours. */
    private static HttpResponse<String> ask(String way, String what, String text) throws Exception {
        return shop.ask(path(way, what, text)).get(ServedShop.LONG.toSeconds(), TimeUnit.SECONDS);
    }

    private static String path(String way, String what, String text) {
        return "/" + way + "/" + what + "/" + text;
    }

    private static void assertRolledBackOnly(Throwable thrown, String name) {
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        shop.awaitEnd(name, TransactionState.ROLLED_BACK);
        assertThat(shop.coordinator().transaction(name).cause()).contains("the second half failed");
        assertThat(shop.written(name)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"deferred", "callable", "elsewhere", "future", "mono"})
    void aFailureThatAnAdviceAnswersWellMarks(String way) {
        String name = "polite-" + way;
        Throwable thrown = catchThrowable(() -> global(name, () -> {
            assertThat(call(way, "half", name)).isEqualTo("sorry");
            return null;
        }));
        assertRolledBackOnly(thrown, name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "deferred", "callable"})
    void aFailureMarksAlsoWhenWhatWasHandedOverIsKeptAfterIt(String way) {
        latches();
        String name = "behind-" + way;
        Throwable thrown = catchThrowable(() -> global(name, () -> {
            assertThat(call(way, "behind", name)).isEqualTo("sorry");
            return null;
        }));
        assertRolledBackOnly(thrown, name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "emitter", "sse"})
    void aFailureAfterTheHeadersHaveLeftMarks(String way) {
        String name = "rude-" + way;
        Throwable thrown = catchThrowable(() -> global(name, () -> {
            catchThrowable(() -> call(way, "half", name));
            return null;
        }));
        assertRolledBackOnly(thrown, name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"deferred", "callable", "elsewhere", "future", "mono", "stream", "emitter", "sse", "servlet"})
    void theAnswerSaysOfWorkAndWaitsForNothing(String way) throws Throwable {
        String name = "whole-" + way;
        global(name, () -> {
            HttpResponse<String> answer = ask(way, "whole", name);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("done");
            assertThat(answer.headers().firstValue("TX_ROLLBACK_ONLY")).isEmpty();
            assertThat(answer.headers().firstValue("TX_WORK").orElse("may have"))
                    .isNotEqualTo("0");
            return null;
        });
        shop.awaitEnd(name, TransactionState.COMMITTED);
        assertThat(shop.written(name)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "deferred", "callable", "elsewhere", "future", "mono"})
    void theAnswerSaysThatNothingWasKept(String way) throws Throwable {
        global("nothing-" + way, () -> {
            HttpResponse<String> answer = ask(way, "nothing", "nothing");
            assertThat(answer.body()).isEqualTo("done");
            assertThat(answer.headers().firstValue("TX_WORK")).hasValue("0");
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"big", "writer", "deferred", "stream", "emitter", "sse", "servlet"})
    void theEndOfTheAnswerWaitsForWhatWasHandedOver(String way) throws Exception {
        latches();
        String name = "child-" + way;
        CompletableFuture<Throwable> opener =
                CompletableFuture.supplyAsync(() -> catchThrowable(() -> global(name, () -> {
                    assertThat(ask(way, "child", name).statusCode()).isEqualTo(200);
                    return null;
                })));
        assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(catchThrowable(() -> opener.get(300, TimeUnit.MILLISECONDS))).isNotNull();
        goOn.countDown();
        assertThat(opener.get(60, TimeUnit.SECONDS)).isNull();
        shop.awaitEnd(name, TransactionState.COMMITTED);
        assertThat(shop.written(name)).isEqualTo(1);
    }

    /** Or the answer would have its end while the work goes on, which could only mark. */
    @Test
    void whoeverCompletesFromAListenersEventWaitsToo() throws Exception {
        latches();
        CompletableFuture<Throwable> opener =
                CompletableFuture.supplyAsync(() -> catchThrowable(() -> global("listener", () -> {
                    assertThat(ask("timeout", "child", "listener").body()).isEqualTo("late");
                    return null;
                })));
        assertThat(timedOut.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(catchThrowable(() -> opener.get(300, TimeUnit.MILLISECONDS))).isNotNull();
        goOn.countDown();
        assertThat(opener.get(60, TimeUnit.SECONDS)).isNull();
        shop.awaitEnd("listener", TransactionState.COMMITTED);
        assertThat(shop.written("listener")).isEqualTo(1);
    }

    @Test
    void aRouterFunctionThatFailsMarks() {
        Throwable thrown = catchThrowable(() -> global("route", () -> {
            catchThrowable(() -> call("route", "half", "route"));
            return null;
        }));
        assertRolledBackOnly(thrown, "route");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Work.class, Door.class, Advice.class})
    static class Application {

        @Bean
        ServletRegistrationBean<Raw> raw(Work work, AsyncTaskExecutor executor) {
            ServletRegistrationBean<Raw> registration =
                    new ServletRegistrationBean<>(new Raw(work, executor), "/servlet/*", "/timeout/*");
            registration.setAsyncSupported(true);
            return registration;
        }

        @Bean
        RouterFunction<ServerResponse> route(Work work) {
            return RouterFunctions.route()
                    .POST("/route/{what}/{text}", request -> ServerResponse.ok()
                            .body(work.run(request.pathVariable("what"), request.pathVariable("text"))))
                    .build();
        }
    }

    /** What handlers do, at once or later. */
    @Service
    static class Work {

        private final JdbcTemplate jdbc;
        private final AsyncTaskExecutor executor;

        Work(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
            this.jdbc = jdbc;
            this.executor = executor;
        }

        String run(String what, String text) {
            switch (what) {
                case "child" ->
                    executor.submit(() -> {
                        running.countDown();
                        if (!goOn.await(ServedShop.LONG.toSeconds(), TimeUnit.SECONDS)) {
                            throw new AssertionError("nobody let it go on");
                        }
                        return jdbc.update("INSERT INTO written (text) VALUES (?)", text);
                    });
                case "behind" ->
                    executor.submit(() -> {
                        if (!sorry.await(ServedShop.LONG.toSeconds(), TimeUnit.SECONDS)) {
                            throw new AssertionError("the failure was not answered");
                        }
                        return jdbc.update("INSERT INTO written (text) VALUES (?)", text);
                    });
                case "nothing" -> {}
                default -> jdbc.update("INSERT INTO written (text) VALUES (?)", text);
            }
            if (what.equals("half") || what.equals("behind")) {
                throw new IllegalArgumentException("the second half failed");
            }
            return "done";
        }
    }

    @RestController
    static class Door {

        private final Work work;
        private final AsyncTaskExecutor executor;

        Door(Work work, AsyncTaskExecutor executor) {
            this.work = work;
            this.executor = executor;
        }

        @PostMapping("/plain/{what}/{text}")
        String plain(@PathVariable("what") String what, @PathVariable("text") String text) {
            return work.run(what, text);
        }

        @PostMapping("/big/{what}/{text}")
        byte[] big(@PathVariable("what") String what, @PathVariable("text") String text) {
            work.run(what, text);
            return new byte[100_000];
        }

        @PostMapping("/writer/{what}/{text}")
        void writer(@PathVariable("what") String what, @PathVariable("text") String text, HttpServletResponse response)
                throws IOException {
            response.setContentLength(20_000);
            response.getWriter().write("x".repeat(20_000));
            response.getWriter().flush();
            work.run(what, text);
        }

        @PostMapping("/deferred/{what}/{text}")
        DeferredResult<String> deferred(@PathVariable("what") String what, @PathVariable("text") String text) {
            DeferredResult<String> result = new DeferredResult<>();
            executor.execute(() -> {
                try {
                    result.setResult(work.run(what, text));
                } catch (RuntimeException e) {
                    result.setErrorResult(e);
                }
            });
            return result;
        }

        @PostMapping("/callable/{what}/{text}")
        Callable<String> callable(@PathVariable("what") String what, @PathVariable("text") String text) {
            return () -> work.run(what, text);
        }

        /** On an executor that is no bean. */
        @PostMapping("/elsewhere/{what}/{text}")
        WebAsyncTask<String> elsewhere(@PathVariable("what") String what, @PathVariable("text") String text) {
            return new WebAsyncTask<>(null, new SimpleAsyncTaskExecutor("elsewhere"), () -> work.run(what, text));
        }

        @PostMapping("/future/{what}/{text}")
        CompletableFuture<String> future(@PathVariable("what") String what, @PathVariable("text") String text) {
            return CompletableFuture.supplyAsync(() -> work.run(what, text), executor);
        }

        @PostMapping("/mono/{what}/{text}")
        Mono<String> mono(@PathVariable("what") String what, @PathVariable("text") String text) {
            return Mono.fromCallable(() -> work.run(what, text)).subscribeOn(Schedulers.fromExecutor(executor));
        }

        @PostMapping("/stream/{what}/{text}")
        StreamingResponseBody stream(@PathVariable("what") String what, @PathVariable("text") String text) {
            return out -> {
                out.write(new byte[] {'a'});
                out.flush();
                out.write(work.run(what, text).getBytes(StandardCharsets.UTF_8));
            };
        }

        @PostMapping("/emitter/{what}/{text}")
        ResponseBodyEmitter emitter(@PathVariable("what") String what, @PathVariable("text") String text) {
            return send(new ResponseBodyEmitter(), what, text);
        }

        @PostMapping("/sse/{what}/{text}")
        SseEmitter sse(@PathVariable("what") String what, @PathVariable("text") String text) {
            return send(new SseEmitter(), what, text);
        }

        private <T extends ResponseBodyEmitter> T send(T emitter, String what, String text) {
            executor.execute(() -> {
                try {
                    emitter.send("a");
                    emitter.send(work.run(what, text));
                    emitter.complete();
                } catch (Exception e) {
                    emitter.completeWithError(e);
                }
            });
            return emitter;
        }
    }

    /** Asynchronous without Spring MVC. */
    static final class Raw extends HttpServlet {

        private static final long serialVersionUID = 1L;

        private final transient Work work;
        private final transient AsyncTaskExecutor executor;

        Raw(Work work, AsyncTaskExecutor executor) {
            this.work = work;
            this.executor = executor;
        }

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response) {
            String[] path = request.getRequestURI().split("/");
            AsyncContext async = request.startAsync();
            if (path[1].equals("timeout")) {
                async.setTimeout(100);
                async.addListener(new CompletesLate());
                work.run(path[2], path[3]);
                return;
            }
            executor.execute(() -> {
                try {
                    async.getResponse().getOutputStream().print("a");
                    async.getResponse().flushBuffer();
                    async.getResponse().getOutputStream().print(work.run(path[2], path[3]));
                    async.complete();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
    }

    /** Answers what nobody else has, as its event lets it. */
    private static final class CompletesLate implements ServletArrival.End {

        @Override
        public void onComplete(AsyncEvent event) {}

        @Override
        public void onTimeout(AsyncEvent event) {
            timedOut.countDown();
            try {
                event.getAsyncContext().getResponse().getOutputStream().print("late");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            event.getAsyncContext().complete();
        }
    }

    @RestControllerAdvice
    static class Advice {

        @ExceptionHandler
        @ResponseStatus(HttpStatus.OK)
        String sorry(IllegalArgumentException failure) {
            sorry.countDown();
            return "sorry";
        }
    }
}
