package io.txn.client.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import org.junit.jupiter.api.Test;

class ResourcesTest {

    private record InSchema(String schema) implements BranchResource {

        @Override
        public String resourceId() {
            return "jdbc:x";
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
        public boolean standsFor(BranchResource other) {
            return equals(other);
        }
    }

    @Test
    void oneThatCannotBeStoodForIsRefused() {
        Resources resources = new Resources();
        InSchema first = new InSchema("a");
        assertThat(resources.add(first)).isTrue();
        assertThat(resources.add(new InSchema("a"))).isFalse();
        assertThatThrownBy(() -> resources.add(new InSchema("b")))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION))
                .hasMessageContaining("jdbc:x");
        assertThat(resources.find(BranchType.AT, "jdbc:x")).isSameAs(first);
    }
}
