package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/** Work fails while the coordinator is away: the answer says so or breaks off, and the coordinator hears of it when it is back. The caller reads no headers. */
@Timeout(180)
class MarkLateIT {

    @TempDir
    static Path directory;

    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static volatile CountDownLatch running = new CountDownLatch(1);
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

    @ParameterizedTest
    @ValueSource(strings = {"polite", "stream", "insistent"})
    void theAnswerSaysOfAMarkOrBreaksOffAndTheCoordinatorHearsOfItLater(String how) {
        goOn = new CountDownLatch(1);
        running = new CountDownLatch(1);
        String name = "late-" + how;
        Throwable thrown = catchThrowable(() -> shop.bean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(ServedShop.LONG), () -> {
                    CompletableFuture<HttpResponse<String>> answer = shop.ask("/" + how + "/" + name);
                    assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
                    int port = shop.coordinator().port();
                    shop.coordinator().close();
                    goOn.countDown();
                    if (how.equals("polite")) {
                        HttpResponse<String> got = answer.get(60, TimeUnit.SECONDS);
                        assertThat(got.body()).isEqualTo("sorry");
                        assertThat(got.headers().firstValue("TX_ROLLBACK_ONLY")).isPresent();
                        assertThat(got.headers().firstValue("TX_WORK")).hasValue("1");
                    } else {
                        assertThat(catchThrowable(() -> answer.get(60, TimeUnit.SECONDS)))
                                .as("an answer that came to its end would say that all is well")
                                .hasMessageContaining("IOException");
                    }
                    shop.restartCoordinator(port);
                    Await.until("the coordinator heard of it", ServedShop.LONG, () -> {
                        String cause = shop.coordinator().transaction(name).cause();
                        return cause != null && cause.contains("the second half failed");
                    });
                    assertThat(shop.coordinator().transaction(name).state()).isEqualTo(TransactionState.ACTIVE);
                    return null;
                }));
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        shop.awaitEnd(name, TransactionState.ROLLED_BACK);
        assertThat(shop.written(name)).isZero();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Door.class, Advice.class})
    static class Application {

        @Bean
        ServletRegistrationBean<Insistent> insistent(
                Door door, ContextCarrier contexts, GlobalTransactionTemplate transactions) {
            ServletRegistrationBean<Insistent> registration =
                    new ServletRegistrationBean<>(new Insistent(door, contexts, transactions), "/insistent/*");
            registration.setAsyncSupported(true);
            return registration;
        }
    }

    /** Fails after its headers have left, and wants to end the answer all the same, and once more when that is refused. */
    static final class Insistent extends HttpServlet {

        private static final long serialVersionUID = 1L;

        private final transient Door door;
        private final transient ContextCarrier contexts;
        private final transient GlobalTransactionTemplate transactions;

        Insistent(Door door, ContextCarrier contexts, GlobalTransactionTemplate transactions) {
            this.door = door;
            this.contexts = contexts;
            this.transactions = transactions;
        }

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response) {
            if (request.getDispatcherType() == DispatcherType.ASYNC) {
                return;
            }
            String text = request.getRequestURI().split("/")[2];
            AsyncContext async = request.startAsync();
            async.setTimeout(ServedShop.LONG.toMillis());
            async.start(contexts.wrap(() -> {
                try {
                    async.getResponse().getOutputStream().print("a");
                    async.getResponse().flushBuffer();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                catchThrowable(
                        () -> transactions.execute(GlobalTransactionOptions.named("half"), () -> door.polite(text)));
                catchThrowable(async::complete);
                try {
                    async.complete();
                } catch (UncheckedIOException refused) {
                    async.dispatch(); // gives it back to the container
                }
            }));
        }
    }

    @RestController
    static class Door {

        private final JdbcTemplate jdbc;

        Door(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        private void half(String text) {
            jdbc.update("INSERT INTO written (text) VALUES (?)", text);
            running.countDown();
            try {
                if (!goOn.await(ServedShop.LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody let it go on");
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            throw new IllegalArgumentException("the second half failed");
        }

        @PostMapping("/polite/{text}")
        String polite(@PathVariable("text") String text) {
            half(text);
            return "done";
        }

        /** Its headers have left before it fails, and it swallows that itself once more. */
        @PostMapping("/stream/{text}")
        StreamingResponseBody stream(@PathVariable("text") String text) {
            return out -> {
                out.write('a');
                out.flush();
                half(text);
            };
        }
    }

    @RestControllerAdvice
    static class Advice {

        @ExceptionHandler
        @ResponseStatus(HttpStatus.OK)
        String sorry(IllegalArgumentException failure) {
            return "sorry";
        }
    }
}
