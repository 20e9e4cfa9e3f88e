package io.txn.protocol.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BranchPolicyTest {

    @Test
    void whatIsTooShortIsKeptAndPassedOnAndNeverApplied() {
        BranchPolicy hasty = new BranchPolicy(1, 1, 99, 3);
        Map<String, String> head = new HashMap<>();
        hasty.write(head);
        assertThat(BranchPolicy.read(head)).isEqualTo(hasty);
        assertThat(hasty.applied()).isEqualTo(new BranchPolicy(2_000, 100, 100, 3));
        assertThat(new BranchPolicy(0, 5, 0, 0).applied()).isEqualTo(new BranchPolicy(0, 100, 0, 0));
        assertThat(new BranchPolicy(1_999, 50, 70_000, 0).applied()).isEqualTo(new BranchPolicy(2_000, 100, 70_000, 0));
    }

    @Test
    void whatIsLongEnoughOrLeftOpenIsAppliedAsItIs() {
        for (BranchPolicy policy : new BranchPolicy[] {
            new BranchPolicy(0, 0, 0, 0), new BranchPolicy(2_000, 100, 100, 1), new BranchPolicy(3_600_000, 0, 100, 0)
        }) {
            assertThat(policy.applied()).isSameAs(policy);
        }
    }

    @Test
    void whatWouldNotBeAppliedAsItStandsIsNotDeclared() {
        assertThat(BranchPolicy.declared(2_000, 100, 100, 2)).isEqualTo(new BranchPolicy(2_000, 100, 100, 2));
        assertThat(BranchPolicy.declared(0, 0, 0, 0).saysNothing()).isTrue();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BranchPolicy.declared(1_999, 0, 0, 0))
                .withMessageContaining("the time for a call is 1999 ms and must be at least 2000 ms");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BranchPolicy.declared(0, 99, 0, 0))
                .withMessageContaining("a delay is 99 ms and must be at least 100 ms");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BranchPolicy.declared(0, 0, 1, 0))
                .withMessageContaining("a delay is 1 ms and must be at least 100 ms");
    }
}
