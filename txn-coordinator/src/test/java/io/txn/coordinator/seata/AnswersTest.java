package io.txn.coordinator.seata;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Reply;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.TransactionExceptionCode;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswersTest {

    /** Too many branches and too much data are seen over TCP as well; a record that is too large no frame of the default size can make. */
    @Test
    void whatIsTooMuchForATransactionHasTheCodeForIt() {
        for (ErrorCode code :
                List.of(ErrorCode.TOO_MANY_BRANCHES, ErrorCode.RECORD_TOO_LARGE, ErrorCode.APPLICATION_DATA_TOO_LONG)) {
            Reply refused = Reply.Rejected.of(code, "limit", 1);
            var registration = (Message.BranchRegisterResponse) Answers.register(refused);
            assertThat(registration.outcome().succeeded()).isFalse();
            assertThat(registration.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.FAILED_TO_ADD_BRANCH);
            assertThat(registration.outcome().message()).startsWith(code.id());
            var report = (Message.BranchReportResponse) Answers.report(refused);
            assertThat(report.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.BRANCH_REPORT_FAILED);
        }
        var other = (Message.BranchRegisterResponse) Answers.register(Reply.Rejected.of(ErrorCode.BAD_REQUEST));
        assertThat(other.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.BRANCH_REGISTER_FAILED);
    }
}
