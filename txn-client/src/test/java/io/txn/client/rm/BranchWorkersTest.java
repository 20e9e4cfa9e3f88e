package io.txn.client.rm;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.CoordinatorRequests;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BranchWorkersTest {

    private static final Xid XID = new Xid("127.0.0.1:8091:7");

    private final Resources resources = new Resources();
    private final BranchWorkers workers = new BranchWorkers(resources, 4, 2, TxnObserver.NONE);

    @AfterEach
    void stop() {
        workers.close(Duration.ofSeconds(1));
    }

    @Test
    void answersWithTheResourcesResult() throws Exception {
        resources.add(resource("db", branch -> BranchResult.committed(), branch -> BranchResult.rolledBack()));
        assertThat(commit("db", 1).get(10, TimeUnit.SECONDS)).satisfies(answer -> {
            assertThat(answer.outcome().succeeded()).isTrue();
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
            assertThat(answer.xid()).isEqualTo(XID.value());
            assertThat(answer.branchId()).isEqualTo(1);
        });
        assertThat(rollback("db", 2).get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLED_BACK);
    }

    @Test
    void theCauseOfAFailureTravelsWithItsStatus() throws Exception {
        resources.add(resource(
                "db",
                branch -> {
                    throw new IllegalStateException("the database is away");
                },
                branch -> BranchResult.rollbackImpossible("row changed by somebody else")));
        assertThat(commit("db", 1).get(10, TimeUnit.SECONDS)).satisfies(answer -> {
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
            assertThat(answer.outcome().message()).isEqualTo("the database is away");
        });
        assertThat(rollback("db", 2).get(10, TimeUnit.SECONDS)).satisfies(answer -> {
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
            assertThat(answer.outcome().message()).isEqualTo("row changed by somebody else");
        });
    }

    @Test
    void errorsToldAsOtherStatusesAreNeverTakenForTheEndOfPhaseTwo() throws Exception {
        resources.add(resource("db", branch -> BranchResult.rolledBack(), branch -> {
            throw new StackOverflowError();
        }));
        assertThat(commit("db", 1).get(10, TimeUnit.SECONDS).status())
                .isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        assertThat(rollback("db", 2).get(10, TimeUnit.SECONDS).status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
    }

    @Test
    void whatThisProcessDoesNotKnowIsTriedAgainElsewhere() throws Exception {
        assertThat(rollback("nobody", 1).get(10, TimeUnit.SECONDS)).satisfies(answer -> {
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
            assertThat(answer.outcome().message()).contains("nobody");
        });
        resources.add(resource("db", branch -> BranchResult.committed(), branch -> BranchResult.rolledBack()));
        assertThat(commit("db", 0).get(10, TimeUnit.SECONDS).status())
                .isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
    }

    @Test
    void aRepeatedCallJoinsTheOneThatRuns() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        resources.add(resource("db", branch -> BranchResult.committed(), branch -> {
            calls.incrementAndGet();
            await(gate);
            return BranchResult.rolledBack();
        }));
        List<CompletableFuture<Message.BranchRollbackResponse>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(rollback("db", 1));
        }
        assertThat(rollback("db", 1).get(10, TimeUnit.SECONDS).status())
                .as("one more than may wait")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(commit("db", 1).get(10, TimeUnit.SECONDS).status())
                .as("the opposite decision")
                .isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        gate.countDown();
        for (CompletableFuture<Message.BranchRollbackResponse> answer : answers) {
            assertThat(answer.get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLED_BACK);
        }
        assertThat(calls).hasValue(1);
        assertThat(rollback("db", 1).get(10, TimeUnit.SECONDS).status())
                .as("after the end it is a new call")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLED_BACK);
        assertThat(calls).hasValue(2);
    }

    @Test
    void aStuckResourceIsAnsweredForAtOnceAndLeavesTheOthersAlone() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        CountDownLatch busy = new CountDownLatch(3);
        resources.add(resource(
                "stuck",
                branch -> {
                    busy.countDown();
                    await(gate);
                    return BranchResult.committed();
                },
                branch -> BranchResult.rolledBack()));
        resources.add(resource("well", branch -> BranchResult.committed(), branch -> BranchResult.rolledBack()));
        List<CompletableFuture<Message.BranchCommitResponse>> waiting = new ArrayList<>();
        for (int i = 1; i <= 5; i++) { // three run, two wait
            waiting.add(commit("stuck", i));
        }
        assertThat(busy.await(10, TimeUnit.SECONDS)).isTrue();

        CompletableFuture<Message.BranchCommitResponse> refused = commit("stuck", 6);
        assertThat(refused).as("answered by the calling thread").isDone();
        assertThat(refused.join().status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        assertThat(refused.join().outcome().message()).contains("queue is full");
        assertThat(commit("well", 7).get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);

        gate.countDown();
        for (CompletableFuture<Message.BranchCommitResponse> answer : waiting) {
            assertThat(answer.get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        }
        assertThat(commit("stuck", 6).get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
    }

    @Test
    void phaseTwoWaitsForPhaseOneInThisProcess() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        resources.add(resource(
                "db",
                branch -> {
                    calls.incrementAndGet();
                    return BranchResult.committed();
                },
                branch -> BranchResult.rolledBack()));
        workers.phaseOne().registrationBegins(XID, "db");
        assertThat(commit("db", 1).join().status())
                .as("the registration's answer has not been seen yet")
                .isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        workers.phaseOne().registered(XID, "db", new BranchId(1));
        assertThat(commit("db", 1).join().outcome().message()).contains("phase one");
        assertThat(commit("db", 2).get(10, TimeUnit.SECONDS).status())
                .as("another branch is free")
                .isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        workers.phaseOne().ended(new BranchId(1));
        assertThat(commit("db", 1).get(10, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        assertThat(calls).hasValue(2);
    }

    @Test
    void undoLogsAreDeletedByTheResource() throws Exception {
        CompletableFuture<Integer> days = new CompletableFuture<>();
        resources.add(new BranchResource() {
            @Override
            public String resourceId() {
                return "db";
            }

            @Override
            public BranchType branchType() {
                return BranchType.AT;
            }

            @Override
            public BranchResult commit(Branch branch) {
                return BranchResult.committed();
            }

            @Override
            public BranchResult rollback(Branch branch) {
                return BranchResult.rolledBack();
            }

            @Override
            public void deleteUndoLog(int saveDays) {
                days.complete(saveDays);
            }
        });
        workers.received(new Message.UndoLogDelete(BranchType.AT, "db", (short) 7), Map.of(), (answer, head) -> {
            throw new AssertionError("not answered");
        });
        assertThat(days.get(10, TimeUnit.SECONDS)).isEqualTo(7);
    }

    @Test
    void commitsThatComeAtATimeAreCarriedOutTogether() throws Exception {
        Together db = new Together();
        db.gate = new CountDownLatch(1);
        resources.add(db);
        BranchWorkers many = new BranchWorkers(resources, 4, 1_000, TxnObserver.NONE, Duration.ofMillis(1));
        try {
            List<CompletableFuture<Message.BranchCommitResponse>> answers = new ArrayList<>();
            answers.add(commit(many, "db", 1));
            assertThat(db.begun.await(20, TimeUnit.SECONDS)).isTrue();
            for (int i = 2; i <= 100; i++) {
                answers.add(commit(many, "db", i));
            }
            assertThat(answers).as("nobody is answered before the work is done").noneMatch(CompletableFuture::isDone);
            db.gate.countDown();
            for (CompletableFuture<Message.BranchCommitResponse> answer : answers) {
                assertThat(answer.get(20, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
            }
            assertThat(db.groups).containsExactly(1, 99);
        } finally {
            many.close(Duration.ofSeconds(1));
        }
    }

    @Test
    void aGroupThatFailsIsAnsweredForEachOfItAndHoldsNoOtherUp() throws Exception {
        Together db = new Together();
        db.failure = new NoClassDefFoundError("driver");
        resources.add(db);
        assertThat(commit("db", 1).get(20, TimeUnit.SECONDS)).satisfies(answer -> {
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
            assertThat(answer.outcome().message()).isEqualTo("driver");
        });
        db.failure = null;
        assertThat(commit("db", 1).get(20, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
    }

    @Test
    void commitsThatAreOnlyGatheredAreCarriedOutAtTheEnd() throws Exception {
        Together db = new Together();
        resources.add(db);
        BranchWorkers patient = new BranchWorkers(resources, 4, 4, TxnObserver.NONE, Duration.ofDays(1));
        List<CompletableFuture<Message.BranchCommitResponse>> answers = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            answers.add(commit(patient, "db", i));
        }
        CompletableFuture<Message.BranchCommitResponse> repeated = commit(patient, "db", 3);
        assertThat(answers).noneMatch(CompletableFuture::isDone);
        patient.close(Duration.ofSeconds(20));
        answers.add(repeated);
        for (CompletableFuture<Message.BranchCommitResponse> answer : answers) {
            assertThat(answer.get(20, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        }
        assertThat(db.groups).containsExactly(3);
        assertThat(commit(patient, "db", 5).join().outcome().message()).contains("stopping");
    }

    @Test
    void aFullGroupWaitsForNobody() throws Exception {
        Together db = new Together();
        db.gate = new CountDownLatch(1);
        resources.add(db);
        BranchWorkers patient = new BranchWorkers(resources, 4, 3, TxnObserver.NONE, Duration.ofDays(1));
        try {
            List<CompletableFuture<Message.BranchCommitResponse>> answers = new ArrayList<>();
            for (int i = 1; i <= 3; i++) {
                answers.add(commit(patient, "db", i));
            }
            assertThat(db.begun.await(20, TimeUnit.SECONDS)).isTrue();
            for (int i = 4; i <= 6; i++) {
                answers.add(commit(patient, "db", i));
            }
            assertThat(commit(patient, "db", 7).join().outcome().message())
                    .as("one more than may wait")
                    .contains("queue is full");
            db.gate.countDown();
            for (CompletableFuture<Message.BranchCommitResponse> answer : answers) {
                assertThat(answer.get(20, TimeUnit.SECONDS).status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
            }
            assertThat(db.groups).containsExactly(3, 3);
        } finally {
            patient.close(Duration.ofSeconds(1));
        }
    }

    @Test
    void whoCallsOneAfterTheOtherIsNotKeptWaitingForMore() throws Exception {
        Together db = new Together();
        resources.add(db);
        BranchWorkers patient = new BranchWorkers(resources, 4, 1_000, TxnObserver.NONE, Duration.ofDays(1));
        try {
            CompletableFuture<BranchStatus> status = new CompletableFuture<>();
            patient.received(
                    new Message.BranchCommitRequest(XID.value(), 1, BranchType.AT, "db", "data"),
                    Map.of(),
                    new CoordinatorRequests.Answering() {
                        @Override
                        public void answer(Message.Response response, Map<String, String> head) {
                            status.complete(((Message.BranchCommitResponse) response).status());
                        }

                        @Override
                        public boolean callsGoOn() {
                            return false;
                        }
                    });
            assertThat(status.get(20, TimeUnit.SECONDS)).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        } finally {
            patient.close(Duration.ofSeconds(1));
        }
    }

    /** Lets commits go together. */
    private static final class Together implements BranchResource {

        final List<Integer> groups = new CopyOnWriteArrayList<>();
        final CountDownLatch begun = new CountDownLatch(1);
        volatile CountDownLatch gate = new CountDownLatch(0);
        volatile Error failure;

        @Override
        public String resourceId() {
            return "db";
        }

        @Override
        public BranchType branchType() {
            return BranchType.AT;
        }

        @Override
        public boolean commitsTogether() {
            return true;
        }

        @Override
        public List<BranchResult> commitAll(List<Branch> branches) {
            begun.countDown();
            await(gate);
            if (failure != null) {
                throw failure;
            }
            groups.add(branches.size());
            return BranchResource.super.commitAll(branches);
        }

        @Override
        public BranchResult commit(Branch branch) {
            return BranchResult.committed();
        }

        @Override
        public BranchResult rollback(Branch branch) {
            return BranchResult.rolledBack();
        }
    }

    @Test
    void afterTheEndEverythingIsLeftToOthers() throws Exception {
        resources.add(resource("db", branch -> BranchResult.committed(), branch -> BranchResult.rolledBack()));
        workers.close();
        assertThat(commit("db", 1).join().outcome().message()).contains("stopping");
    }

    private CompletableFuture<Message.BranchCommitResponse> commit(String resource, long branch) {
        return commit(workers, resource, branch);
    }

    private static CompletableFuture<Message.BranchCommitResponse> commit(
            BranchWorkers workers, String resource, long branch) {
        CompletableFuture<Message.BranchCommitResponse> answer = new CompletableFuture<>();
        workers.received(
                new Message.BranchCommitRequest(XID.value(), branch, BranchType.AT, resource, "data"),
                Map.of(),
                (message, head) -> answer.complete((Message.BranchCommitResponse) message));
        return answer;
    }

    private CompletableFuture<Message.BranchRollbackResponse> rollback(String resource, long branch) {
        CompletableFuture<Message.BranchRollbackResponse> answer = new CompletableFuture<>();
        workers.received(
                new Message.BranchRollbackRequest(XID.value(), branch, BranchType.AT, resource, "data"),
                Map.of(),
                (message, head) -> answer.complete((Message.BranchRollbackResponse) message));
        return answer;
    }

    static BranchResource resource(
            String id, Function<Branch, BranchResult> commit, Function<Branch, BranchResult> rollback) {
        return new BranchResource() {
            @Override
            public String resourceId() {
                return id;
            }

            @Override
            public BranchType branchType() {
                return BranchType.AT;
            }

            @Override
            public BranchResult commit(Branch branch) {
                return commit.apply(branch);
            }

            @Override
            public BranchResult rollback(Branch branch) {
                return rollback.apply(branch);
            }
        };
    }

    private static void await(CountDownLatch gate) {
        try {
            if (!gate.await(10, TimeUnit.SECONDS)) {
                throw new AssertionError("the test forgot to open the gate");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
