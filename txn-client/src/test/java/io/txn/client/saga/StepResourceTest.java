package io.txn.client.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.action.Action;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.JdbcFenceTransaction;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResult;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.saga.SagaHead;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A step's calls, with the fence in a database. */
class StepResourceTest {

    record Reservation(long id, String item) {}

    static class SoldOutException extends Exception {
        private static final long serialVersionUID = 1L;

        SoldOutException(String message) {
            super(message);
        }
    }

    private final List<String> heard = new ArrayList<>();
    private final RunningSteps running = new RunningSteps();

    class Stock {
        @SagaStep(name = "stock.freeze", compensation = "release", refusals = SoldOutException.class)
        public Later<Reservation> freeze(String item, int count) throws SoldOutException {
            heard.add("freeze " + item + " " + count);
            if (item.equals("none")) {
                throw new SoldOutException("none left");
            }
            if (item.equals("broken")) {
                throw new IllegalStateException("no connection");
            }
            return item.equals("slow") ? Later.pending() : Later.now(new Reservation(7, item));
        }

        public void release(String item, int count, Reservation kept) {
            heard.add("release " + item + " " + count + " " + kept);
        }
    }

    private final Stock stock = new Stock();
    private final StepResource step = step();

    private StepResource step() {
        TestDatabase database = TestDatabases.h2().create();
        JdbcFenceTransaction local = new JdbcFenceTransaction(database.dataSource());
        try {
            Signature signature = Signature.of(Stock.class.getDeclaredMethod("freeze", String.class, int.class));
            StepMethod method = new StepMethod() {
                @Override
                public Object call(List<?> arguments) throws Throwable {
                    assertThat(running.current()).isNotNull();
                    return stock.freeze((String) arguments.get(0), (Integer) arguments.get(1));
                }

                @Override
                public void compensate(List<?> arguments) {
                    stock.release(
                            (String) arguments.get(0), (Integer) arguments.get(1), (Reservation) arguments.get(2));
                }
            };
            Fence fence = Fence.of(database.dataSource(), FenceOptions.DEFAULTS);
            return new StepResource(
                    signature,
                    signature.compensation(Stock.class),
                    method,
                    new Action.Fenced(fence, local, local, local),
                    running);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    private static Branch called(SagaHead.Call call, long branch, String item, String result) {
        String data = "{\"input\":{\"v\":1,\"in\":{\"item\":\"" + item + "\"},\"given\":{\"first\":"
                + "{\"item\":[\"input\",\"item\"],\"count\":{\"value\":2}}}},\"results\":{}" + result + "}";
        return new Branch(
                new Xid("127.0.0.1:8091:42"),
                new BranchId(branch),
                "saga/stock.freeze",
                data,
                null,
                new SagaHead.Called(call, "first", "order@1", 1));
    }

    private BranchResult act(long branch, String item) {
        return step.commit(called(SagaHead.Call.ACTION, branch, item, ""));
    }

    private BranchResult undo(long branch, String item, String result) {
        return step.rollback(called(SagaHead.Call.COMPENSATE, branch, item, result));
    }

    @Test
    void aRepeatedCallDoesNothingAndAnswersTheSameResult() {
        BranchResult first = act(1, "book");
        BranchResult second = act(1, "book");
        assertThat(first.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        assertThat(first.said()).isEqualTo(new SagaHead.Said("{\"id\":\"7\",\"item\":\"book\"}", -1));
        assertThat(second).isEqualTo(first);
        assertThat(heard).containsExactly("freeze book 2");
    }

    @Test
    void aStepWhoseCompensationCouldComeToAnotherDatabaseIsRefusedAtTheStart() throws Exception {
        TestDatabase database = TestDatabases.h2().create();
        JdbcFenceTransaction local = new JdbcFenceTransaction(database.dataSource());
        Signature signature = Signature.of(Stock.class.getDeclaredMethod("freeze", String.class, int.class));
        StepMethod unused = new StepMethod() {
            @Override
            public Object call(List<?> arguments) {
                throw new AssertionError();
            }

            @Override
            public void compensate(List<?> arguments) {
                throw new AssertionError();
            }
        };
        Fence fence = Fence.ofSeveral(database.dataSource(), FenceOptions.DEFAULTS);
        ResourceManager nowhere = (ResourceManager) Proxy.newProxyInstance(
                StepResourceTest.class.getClassLoader(), new Class<?>[] {ResourceManager.class}, (p, method, a) -> {
                    throw new AssertionError(method + " was called");
                });
        Sagas sagas = new Sagas(null, nowhere, ended -> {});
        assertThatThrownBy(() ->
                        sagas.register(signature, Stock.class, unused, new Action.Fenced(fence, local, local, local)))
                .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                        .isEqualTo(ErrorCode.SAGA_MISDECLARED))
                .hasMessageContaining("stock.freeze")
                .hasMessageContaining("another database");
        assertThat(sagas.isUsed()).isFalse();
    }

    @Test
    void theCompensationTakesTheResultAndRunsOnce() {
        act(1, "book");
        assertThat(undo(1, "book", "").done()).isTrue();
        assertThat(undo(1, "book", "").done()).isTrue();
        assertThat(heard).containsExactly("freeze book 2", "release book 2 Reservation[id=7, item=book]");
    }

    @Test
    void aStepThatComesAfterItsCompensationIsRefused() {
        assertThat(undo(1, "book", "").done()).isTrue();
        assertThat(act(1, "book").status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE);
        assertThat(heard).isEmpty();
    }

    @Test
    void whatWillBeAnsweredLaterIsSaidAgainAndUndoneWithTheResultThatTheCoordinatorKnows() {
        SagaHead.Said pending = new SagaHead.Said(null, 0);
        assertThat(act(1, "slow").said()).isEqualTo(pending);
        assertThat(act(1, "slow").said()).isEqualTo(pending);
        assertThat(undo(1, "slow", ",\"result\":{\"id\":\"9\",\"item\":\"slow\"}")
                        .done())
                .isTrue();
        assertThat(heard).containsExactly("freeze slow 2", "release slow 2 Reservation[id=9, item=slow]");
    }

    @Test
    void aRefusalIsFinalAndAnyOtherFailureIsTriedAgain() {
        BranchResult refused = act(1, "none");
        assertThat(refused.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE);
        assertThat(refused.cause()).isEqualTo("SoldOutException: none left");
        BranchResult failed = act(2, "broken");
        assertThat(failed.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        assertThat(act(2, "broken").status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        assertThat(heard).containsExactly("freeze none 2", "freeze broken 2", "freeze broken 2");
        assertThat(running.current()).isNull();
    }

    @Test
    void aStepThatWasAnsweredAndIsUnknownToItsDatabaseNeedsAPerson() {
        BranchResult lost = undo(1, "book", ",\"result\":{\"id\":\"7\",\"item\":\"book\"}");
        assertThat(lost.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(lost.cause()).startsWith("TXN-SGA015");
        assertThat(undo(1, "book", ",\"result\":null").done()).isFalse();
        assertThat(heard).isEmpty();
    }

    @Test
    void whatAnotherVersionOfTheDefinitionGivesIsNeverHalfTaken() {
        Branch other = new Branch(
                new Xid("127.0.0.1:8091:42"),
                new BranchId(3),
                "saga/stock.freeze",
                "{\"input\":{\"v\":1,\"in\":null,\"given\":{\"first\":{\"item\":{\"value\":\"book\"}}}}}",
                null,
                new SagaHead.Called(SagaHead.Call.ACTION, "first", "order@1", 1));
        BranchResult result = step.commit(other);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        assertThat(result.cause()).contains("gives [item], and stock.freeze takes [item, count]");
        assertThat(heard).isEmpty();
    }
}
