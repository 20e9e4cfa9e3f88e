package io.txn.coordinator.seata;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.message.BranchStatus;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What each status means as the answer to a branch call: the whole table. */
class BranchAnswersTest {

    private static final String TABLE = """
            status                                       commit     rollback   a saga's commit  its rollback
            UNKNOWN                                      RETRYABLE  RETRYABLE  RETRYABLE        RETRYABLE
            REGISTERED                                   RETRYABLE  RETRYABLE  RETRYABLE        RETRYABLE
            PHASE_ONE_DONE                               RETRYABLE  RETRYABLE  RETRYABLE        RETRYABLE
            PHASE_ONE_FAILED                             RETRYABLE  RETRYABLE  ENDED_OTHERWISE  DONE
            PHASE_ONE_TIMEOUT                            RETRYABLE  RETRYABLE  RETRYABLE        RETRYABLE
            PHASE_TWO_COMMITTED                          DONE       NEVER      DONE             ENDED_OTHERWISE
            PHASE_TWO_COMMIT_FAILED_RETRYABLE            RETRYABLE  RETRYABLE  RETRYABLE        TURNED
            PHASE_TWO_COMMIT_FAILED_UNRETRYABLE          NEVER      NEVER      NEVER            NEVER
            PHASE_TWO_ROLLED_BACK                        NEVER      DONE       ENDED_OTHERWISE  DONE
            PHASE_TWO_ROLLBACK_FAILED_RETRYABLE          RETRYABLE  RETRYABLE  TURNED           RETRYABLE
            PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE        NEVER      NEVER      NEVER            NEVER
            PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE  NOT_FOUND  NOT_FOUND  RETRYABLE        RETRYABLE
            PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE NOT_FOUND NOT_FOUND  RETRYABLE        RETRYABLE
            PHASE_ONE_READ_ONLY                          RETRYABLE  RETRYABLE  RETRYABLE        RETRYABLE
            STOP_RETRY                                   NEVER      NEVER      NEVER            NEVER
            """;

    /** The byte on the wire of those that decide something: the table is about what clients send, not about our names. */
    private static final Map<BranchStatus, Integer> BYTES = Map.of(
            BranchStatus.PHASE_ONE_FAILED, 3,
            BranchStatus.PHASE_TWO_COMMITTED, 5,
            BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE, 6,
            BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE, 7,
            BranchStatus.PHASE_TWO_ROLLED_BACK, 8,
            BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE, 9,
            BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, 10,
            BranchStatus.PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE, 11,
            BranchStatus.PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE, 12,
            BranchStatus.STOP_RETRY, 14);

    private static Map<BranchStatus, String[]> rows() {
        Map<BranchStatus, String[]> rows = new EnumMap<>(BranchStatus.class);
        TABLE.lines().skip(1).map(line -> line.split(" +")).forEach(row -> rows.put(BranchStatus.valueOf(row[0]), row));
        assertThat(rows).containsOnlyKeys(BranchStatus.values());
        return rows;
    }

    @Test
    void everyStatusMeansWhatTheTableSays() {
        rows().forEach((status, row) -> {
            assertThat(BranchCalls.answer(Outcome.COMMIT, status, true))
                    .as("%s", status)
                    .hasToString(row[1]);
            assertThat(BranchCalls.answer(Outcome.ROLLBACK, status, true))
                    .as("%s", status)
                    .hasToString(row[2]);
            assertThat(SagaWords.answer(Outcome.COMMIT, status, true))
                    .as("%s", status)
                    .hasToString(row[3]);
            assertThat(SagaWords.answer(Outcome.ROLLBACK, status, true))
                    .as("%s", status)
                    .hasToString(row[4]);
        });
        BYTES.forEach(
                (status, code) -> assertThat(status.ordinal()).as("%s", status).isEqualTo(code));
    }

    /** Whoever says that the work is done and that it failed has not said that it is done; apart from that the status alone counts. */
    @Test
    void aFailureIsNeverTakenForDone() {
        rows().forEach((status, row) -> {
            boolean end = status == BranchStatus.PHASE_TWO_COMMITTED || status == BranchStatus.PHASE_TWO_ROLLED_BACK;
            for (Outcome phase : new Outcome[] {Outcome.COMMIT, Outcome.ROLLBACK}) {
                Answer ofBranch = BranchCalls.answer(phase, status, false);
                assertThat(ofBranch).as("%s %s", phase, status).isNotEqualTo(Answer.DONE);
                Answer ofSaga = SagaWords.answer(phase, status, false);
                if (end) {
                    assertThat(ofSaga).as("%s %s", phase, status).isEqualTo(Answer.RETRYABLE);
                    assertThat(ofBranch)
                            .as("%s %s", phase, status)
                            .isEqualTo(
                                    BranchCalls.answer(phase, status, true) == Answer.NEVER
                                            ? Answer.NEVER
                                            : Answer.RETRYABLE);
                } else {
                    assertThat(ofBranch).isEqualTo(BranchCalls.answer(phase, status, true));
                    assertThat(ofSaga).isEqualTo(SagaWords.answer(phase, status, true));
                }
            }
        });
    }
}
