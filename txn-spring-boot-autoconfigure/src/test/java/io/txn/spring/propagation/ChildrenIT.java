package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.OnUnfinished;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.test.Await;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Work on other threads: the opener's commit and a participant's answer wait for it, or refuse. One application calls itself over a real server. */
@Timeout(240)
class ChildrenIT {

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

    private static void latches() {
        goOn = new CountDownLatch(1);
        running = new CountDownLatch(1);
    }

    private static void global(String name, OnUnfinished onUnfinished, GlobalTransactionTemplate.Callback<Object> work)
            throws Throwable {
        shop.bean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withOnUnfinished(onUnfinished), work);
    }

    /** Lets the child go on when the opener, or the answer, can be seen to wait. */
    private static CompletableFuture<Throwable> inBackground(GlobalTransactionTemplate.Callback<?> work) {
        return CompletableFuture.supplyAsync(() -> catchThrowable(work::run));
    }

    @Test
    void theOpenersCommitWaits() throws Exception {
        latches();
        CompletableFuture<Throwable> opener = inBackground(() -> {
            global("waits", OnUnfinished.WAIT, () -> shop.bean(Writer.class).handOver("waits"));
            return null;
        });
        assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(opener).isNotDone();
        goOn.countDown();
        assertThat(opener.get(60, TimeUnit.SECONDS)).isNull();
        shop.awaitEnd("waits", TransactionState.COMMITTED);
        assertThat(shop.written("waits")).isEqualTo(1);
    }

    @Test
    void theOpenersCommitRefuses() throws Exception {
        latches();
        Throwable thrown = catchThrowable(() -> global("refuses", OnUnfinished.REFUSE, () -> {
            shop.bean(Writer.class).write("refuses");
            return shop.bean(Writer.class).handOver("refuses");
        }));
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.WORK_UNFINISHED);
            assertThat(e.facts()).containsEntry("unfinishedTasks", 1);
        });
        goOn.countDown();
        shop.awaitEnd("refuses", TransactionState.ROLLED_BACK);
        assertThat(shop.coordinator().transaction("refuses").cause()).contains("1 tasks");
        assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
        Await.until("the late child is over", ServedShop.LONG, () -> Writer.idle());
        Await.until("the opener's row is undone", ServedShop.LONG, () -> shop.written("refuses") == 0);
    }

    @Test
    void aParticipantsAnswerWaits() throws Exception {
        latches();
        CompletableFuture<Throwable> opener = inBackground(() -> {
            global("answer waits", OnUnfinished.WAIT, () -> {
                shop.call("/wait/answer waits");
                return null;
            });
            return null;
        });
        assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(opener).isNotDone();
        goOn.countDown();
        assertThat(opener.get(60, TimeUnit.SECONDS)).isNull();
        shop.awaitEnd("answer waits", TransactionState.COMMITTED);
        assertThat(shop.written("answer waits")).isEqualTo(1);
    }

    @Test
    void aParticipantsAnswerRefuses() throws Exception {
        latches();
        Throwable thrown = catchThrowable(() -> global("answer refuses", OnUnfinished.WAIT, () -> {
            shop.call("/refuse/answer refuses");
            return null;
        }));
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("shop POST /refuse/answer")
                .hasMessageContaining("answered while 1 tasks of it ran on other threads");
        goOn.countDown();
        shop.awaitEnd("answer refuses", TransactionState.ROLLED_BACK);
        Await.until("the late child is over", ServedShop.LONG, () -> Writer.idle());
        assertThat(shop.written("answer refuses")).isZero();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Writer.class, Door.class})
    static class Application {}

    @RestController
    static class Door {

        private final Writer writer;

        Door(Writer writer) {
            this.writer = writer;
        }

        @PostMapping("/wait/{text}")
        String waits(@PathVariable("text") String text) {
            writer.handOver(text);
            return "handed over";
        }

        @PostMapping("/refuse/{text}")
        String refuses(@PathVariable("text") String text) {
            writer.handOverAndRefuse(text);
            return "handed over";
        }
    }

    @Service
    static class Writer {

        private static final java.util.concurrent.atomic.AtomicInteger UNDER_WAY =
                new java.util.concurrent.atomic.AtomicInteger();

        private final JdbcTemplate jdbc;
        private final AsyncTaskExecutor executor;

        Writer(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
            this.jdbc = jdbc;
            this.executor = executor;
        }

        static boolean idle() {
            return UNDER_WAY.get() == 0;
        }

        int write(String text) {
            return jdbc.update("INSERT INTO written (text) VALUES (?)", text);
        }

        public Object handOver(String text) {
            UNDER_WAY.incrementAndGet();
            executor.submit(() -> {
                try {
                    running.countDown();
                    if (!goOn.await(ServedShop.LONG.toSeconds(), TimeUnit.SECONDS)) {
                        throw new AssertionError("nobody let it go on");
                    }
                    return write(text);
                } finally {
                    UNDER_WAY.decrementAndGet();
                }
            });
            return text;
        }

        @GlobalTransactional(onUnfinished = OnUnfinished.REFUSE)
        public void handOverAndRefuse(String text) {
            handOver(text);
        }
    }
}
