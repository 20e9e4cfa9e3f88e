package io.txn.client.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is held is either a branch or ended without a coordinator, whoever comes first. */
class LateBeginTest {

    private final LateBegin late = new LateBegin(Xid.of("127.0.0.1:8091", 7), "work", Instant.EPOCH);

    /** Counts what it is told. */
    private static final class Counted implements HeldWork {

        private final AtomicInteger prepared = new AtomicInteger();

        @Override
        public void prepare() {
            prepared.incrementAndGet();
        }

        @Override
        public void commit() {
            throw new AssertionError("not its business");
        }

        @Override
        public void rollBack() {
            throw new AssertionError("not its business");
        }
    }

    @Test
    void onlyTheFirstWorkIsHeld() {
        Counted first = new Counted();
        assertThat(late.wouldHold()).isTrue();
        assertThat(late.hold(first)).isTrue();
        assertThat(late.wouldHold()).isFalse();
        assertThat(late.hold(new Counted())).isFalse();
        assertThat(late.held()).isSameAs(first);
        assertThat(first.prepared).hasValue(0);
    }

    @Test
    void nothingIsHeldOfWhatACoordinatorMayKnow() {
        late.asking();
        assertThat(late.wouldHold()).isFalse();
        assertThat(late.hold(new Counted())).isFalse();
        late.prepareHeld();
        assertThat(late.endedUnheard()).isFalse();
    }

    @Test
    void whatBecomesABranchIsNotEndedUnheard() {
        Counted work = new Counted();
        late.hold(work);
        late.prepareHeld();
        assertThat(work.prepared).hasValue(1);
        assertThat(late.endedUnheard()).isFalse();
        assertThat(late.end()).as("its coordinator may know it").isTrue();
        late.prepareHeld();
        assertThat(work.prepared).as("to be told again what came of it").hasValue(2);
    }

    @Test
    void whatIsEndedUnheardBecomesNoBranchAndBeginsNothing() {
        Counted work = new Counted();
        late.hold(work);
        assertThat(late.endedUnheard()).isTrue();
        late.prepareHeld();
        assertThat(work.prepared).hasValue(0);
        assertThat(late.hold(new Counted())).isFalse();
        assertThatThrownBy(late::asking).isInstanceOf(TxnException.class);
    }

    @Test
    void ofTwoAtOnceExactlyOneHasItsWay() throws Exception {
        CyclicBarrier together = new CyclicBarrier(2);
        for (int i = 0; i < 2_000; i++) {
            LateBegin one = new LateBegin(Xid.of("127.0.0.1:8091", i + 1), "work", Instant.EPOCH);
            Counted work = new Counted();
            one.hold(work);
            CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
                meet(together);
                one.prepareHeld();
            });
            meet(together);
            boolean unheard = one.endedUnheard();
            other.get(20, TimeUnit.SECONDS);
            assertThat(work.prepared).as("round %s", i).hasValue(unheard ? 0 : 1);
        }
    }

    private static void meet(CyclicBarrier together) {
        try {
            together.await(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
