package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.diagnostics.FailureAnalysis;

class StartFailureAnalyzerTest {

    @Test
    void causeAndActionAreToldHoweverDeepTheErrorIsWrapped() {
        FailureAnalysis analysis = new StartFailureAnalyzer()
                .analyze(new BeanCreationException(
                        "coordinator",
                        new IllegalStateException(new TxnException(
                                ErrorCode.JOURNAL_DAMAGED, new IOException("bad sector"), "file", "/x", "offset", 7))));
        assertThat(analysis.getDescription())
                .contains("TXN-CRD002")
                .contains("file: /x")
                .contains("offset: 7")
                .contains("bad sector");
        assertThat(analysis.getAction()).startsWith("Restore the named file from a copy");
    }
}
