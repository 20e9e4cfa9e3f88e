package io.txn.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class GlobalTransactionOptionsTest {

    @Test
    void nameAndTimeoutMustFitTheWire() {
        assertThat(GlobalTransactionOptions.named("purchase").timeout()).isEqualTo(Duration.ofSeconds(60));
        refused(() -> GlobalTransactionOptions.named(" "));
        refused(() -> GlobalTransactionOptions.named("ä".repeat(65)));
        refused(() -> GlobalTransactionOptions.named("x").withTimeout(Duration.ZERO));
        refused(() -> GlobalTransactionOptions.named("x").withTimeout(Duration.ofDays(25)));
    }

    @Test
    void clientOptionsAreChecked() {
        TxnClientOptions options = TxnClientOptions.of("app");
        refused(() -> TxnClientOptions.of(""));
        refused(() -> TxnClientOptions.of("a\nb"));
        refused(() -> options.withRequestTimeout(Duration.ZERO));
        refused(() -> options.withConnectWait(Duration.ofMillis(-1)));
        refused(() -> options.withBranchWorkers(0, 10));
        refused(() -> options.withBranchWorkers(1, 0));
    }

    private static void refused(Runnable action) {
        assertThatThrownBy(action::run).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.BAD_CONFIGURATION));
    }
}
