package io.txn.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class RollbackRulesTest {

    @Test
    void everythingRollsBackUnlessARuleSaysOtherwise() {
        assertThat(RollbackRules.ALL.rollsBack(new IOException())).isTrue();
        assertThat(RollbackRules.ALL.rollsBack(new AssertionError())).isTrue();
        assertThat(RollbackRules.ALL.rollbackFor(IllegalStateException.class).rollsBack(new IOException()))
                .isTrue();
    }

    @Test
    void aSparedClassSparesItsSubclasses() {
        RollbackRules rules = RollbackRules.ALL.noRollbackFor(IOException.class);
        assertThat(rules.rollsBack(new FileNotFoundException())).isFalse();
        assertThat(rules.rollsBack(new RuntimeException())).isTrue();
    }

    @Test
    void theNearestRuleWins() {
        RollbackRules rules = RollbackRules.ALL.noRollbackFor(Exception.class).rollbackFor(IOException.class);
        assertThat(rules.rollsBack(new FileNotFoundException())).isTrue();
        assertThat(rules.rollsBack(new RuntimeException())).isFalse();
        RollbackRules inverse =
                RollbackRules.ALL.rollbackFor(IOException.class).noRollbackFor(FileNotFoundException.class);
        assertThat(inverse.rollsBack(new FileNotFoundException())).isFalse();
        assertThat(inverse.rollsBack(new IOException())).isTrue();
    }

    @Test
    void ofTwoEquallyNearRulesTheOneThatRollsBackWins() {
        RollbackRules rules = RollbackRules.ALL.noRollbackFor(IOException.class).rollbackFor(IOException.class);
        assertThat(rules.rollsBack(new IOException())).isTrue();
    }

    @Test
    void namesMatchAnyPartOfTheFullClassName() {
        RollbackRules rules =
                RollbackRules.ALL.noRollbackForClassName("IOException").rollbackForClassName("FileNotFound");
        assertThat(rules.rollsBack(new IOException())).isFalse();
        assertThat(rules.rollsBack(new FileNotFoundException())).isTrue();
        assertThatThrownBy(() -> RollbackRules.ALL.rollbackForClassName(" "))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
