package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.jdbc.undo.UndoTable;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GroupedDeletesTest {

    private static UndoTable.Key key(long number) {
        return new UndoTable.Key(Xid.of("127.0.0.1:8091", number), new BranchId(number), 1);
    }

    @Test
    void anErrorFailsEveryCallOfItsGroupAndNoOther() throws Exception {
        AtomicInteger groups = new AtomicInteger();
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        GroupedDeletes deletes = new GroupedDeletes(keys -> {
            switch (groups.incrementAndGet()) {
                case 1 -> {
                    first.countDown();
                    awaitQuietly(go);
                }
                case 2 -> throw new NoClassDefFoundError("driver");
                default -> assertThat(keys).isNotEmpty();
            }
        });
        List<Thread> threads = new CopyOnWriteArrayList<>();
        ExecutorService callers = Executors.newFixedThreadPool(3, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            threads.add(thread);
            return thread;
        });
        try {
            CompletableFuture<Void> one = CompletableFuture.runAsync(() -> delete(deletes, 1), callers);
            assertThat(first.await(10, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<Void> two = CompletableFuture.runAsync(() -> delete(deletes, 2), callers);
            CompletableFuture<Void> three = CompletableFuture.runAsync(() -> delete(deletes, 3), callers);
            Await.until(
                    "two calls wait for their turn",
                    Duration.ofSeconds(10),
                    () -> threads.stream()
                                    .filter(t -> t.getState() == Thread.State.WAITING)
                                    .count()
                            == 3); // and one for the latch
            go.countDown();
            one.get(10, TimeUnit.SECONDS);
            assertThatThrownBy(() -> two.get(10, TimeUnit.SECONDS)).hasStackTraceContaining("driver");
            assertThatThrownBy(() -> three.get(10, TimeUnit.SECONDS)).hasStackTraceContaining("driver");
            assertThat(groups).hasValue(2);
            delete(deletes, 4);
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void theTurnGoesToWhoeverWaitsAndNotToWhoeverComesBackFirst() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> deleting = new CopyOnWriteArrayList<>();
        GroupedDeletes deletes = new GroupedDeletes(keys -> {
            deleting.add(Thread.currentThread());
            if (deleting.size() == 1) {
                first.countDown();
                awaitQuietly(go);
            }
        });
        int repeated = 200;
        Thread busy = new Thread(() -> {
            for (int i = 0; i < repeated; i++) {
                delete(deletes, 1 + i);
            }
        });
        Thread waiting = new Thread(() -> delete(deletes, 1_000));
        busy.start();
        assertThat(first.await(20, TimeUnit.SECONDS)).isTrue();
        waiting.start();
        Await.until("the other call waits", Duration.ofSeconds(20), () -> waiting.getState() == Thread.State.WAITING);
        go.countDown();
        waiting.join(20_000);
        busy.join(20_000);
        assertThat(waiting.isAlive() || busy.isAlive()).isFalse();
        assertThat(deleting.get(1)).isSameAs(waiting);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void delete(GroupedDeletes deletes, long number) {
        try {
            deletes.delete(key(number));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
